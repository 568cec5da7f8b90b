"""Reading the past: uptime, history bars, response-time series and percentiles, each in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.status import Status
from apps.checks import uptime
from apps.core import clock
from apps.core.cache import cached
from apps.probes.ai.classes import Fault, class_of
from apps.probes.base import PROBE_KINDS
from apps.probes.reasons import Reason

DAY = timedelta(days=1)
WINDOWS = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}


def told_kinds() -> list[str]:
    """Kinds that are told instead of looking: how long their runs take is no response time of anything."""
    return [name for name, kind in PROBE_KINDS.items() if kind.transport == "push"]


_HEARSAY_RUNG = 0


def untimed_kinds() -> list[str]:
    """Kinds whose looks time no answer of their target: those that are told, and those that read what others say of it,
    such as its vendor's status page."""
    return [*told_kinds(), *(name for name, kind in PROBE_KINDS.items() if kind.rung == _HEARSAY_RUNG)]


# Who refuses us does so at once: how long that took is no response time.
REFUSALS = [reason.value for reason in Reason if (found := class_of(reason)) is not None and found[1] is Fault.OURS]


@dataclass(frozen=True)
class TargetHistory:
    """One target's status at the window's start and its transitions inside it."""

    initial: Status
    transitions: list[uptime.Transition]


# Without a moment: the status it began with.
_PAST = """
    (SELECT DISTINCT ON (target_id) target_id, NULL::timestamptz AS at, to_status FROM checks_statechange
     WHERE target_id = ANY(%(ids)s) AND at <= %(start)s ORDER BY target_id, checks_statechange.at DESC)
    UNION ALL
    SELECT target_id, at, to_status FROM checks_statechange
    WHERE target_id = ANY(%(ids)s) AND at > %(start)s AND at <= %(end)s
    ORDER BY at
"""


def load_histories(target_ids: Iterable[UUID], start: datetime, end: datetime) -> dict[UUID, TargetHistory]:
    """Histories of many targets: one query. A target without an earlier change was `unknown` at the start."""
    identifiers = list(target_ids)
    initial: dict[UUID, Status] = {}
    transitions: dict[UUID, list[uptime.Transition]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PAST, {"ids": identifiers, "start": start, "end": end})
        for target_id, at, status in cursor.fetchall():
            if at is None:
                initial[target_id] = Status(status)
            else:
                transitions.setdefault(target_id, []).append(uptime.Transition(at, Status(status)))
    return {
        identifier: TargetHistory(initial.get(identifier, Status.UNKNOWN), transitions.get(identifier, []))
        for identifier in identifiers
    }


def get_uptime(target_ids: Iterable[UUID], window: timedelta) -> dict[UUID, uptime.UptimeReport]:
    """Uptime of many targets over the last `window`, at most a minute old: one query."""
    return _get_uptime(tuple(sorted(target_ids)), window)


@cached("uptime", ttl=60, depends=("targets",))
def _get_uptime(target_ids: tuple[UUID, ...], window: timedelta) -> dict[UUID, uptime.UptimeReport]:
    end = clock.now()
    start = end - window
    return {
        identifier: uptime.report(history.initial, history.transitions, start, end)
        for identifier, history in load_histories(target_ids, start, end).items()
    }


@cached("uptime_windows", ttl=60, depends=("targets",))
def get_uptime_windows(target_id: UUID) -> dict[str, uptime.UptimeReport]:
    """Uptime of one target over 24 h, 7 d and 30 d, at most a minute old: one query."""
    end = clock.now()
    start = end - max(WINDOWS.values())
    history = load_histories([target_id], start, end)[target_id]
    # What came before a shorter window's start only sets the status it began with.
    return {
        name: uptime.report(history.initial, history.transitions, end - window, end) for name, window in WINDOWS.items()
    }


def get_history_bars(
    target_ids: Iterable[UUID], window: timedelta = DAY, count: int = 48
) -> dict[UUID, list[uptime.Segment]]:
    """History bars of many targets, drawn to scale, at most a minute old: one query."""
    return _get_history_bars(tuple(sorted(target_ids)), window, count)


@cached("history_bars", ttl=60, depends=("targets",))
def _get_history_bars(target_ids: tuple[UUID, ...], window: timedelta, count: int) -> dict[UUID, list[uptime.Segment]]:
    end = clock.now()
    start = end - window
    return {
        identifier: uptime.segments(history.initial, history.transitions, start, end, count)
        for identifier, history in load_histories(target_ids, start, end).items()
    }


_SPARKLINES = """
    SELECT {owner},
           floor(extract(epoch FROM r.at - %(start)s) / %(width)s)::int AS bucket,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY r.duration_ms)
    FROM checks_checkresult r JOIN checks_check c ON c.id = r.check_id
    WHERE r.at >= %(start)s AND r.at < %(end)s AND r.state <> 'indeterminate' AND {owner} = ANY(%(owners)s)
      AND c.kind <> ALL(%(untimed)s)
    GROUP BY 1, 2
"""
_BY_TARGET = _SPARKLINES.format(owner="c.target_id")
_BY_CHECK = _SPARKLINES.format(owner="c.id")
HOUR = timedelta(hours=1)


def get_sparklines(target_ids: Iterable[UUID], window: timedelta = HOUR) -> dict[UUID, list[float | None]]:
    """Median response time (ms) of many targets in 30 buckets; None where nothing was measured. One query."""
    return _sparklines(_BY_TARGET, list(target_ids), window)


def get_check_sparklines(check_ids: Iterable[UUID], window: timedelta = HOUR) -> dict[UUID, list[float | None]]:
    """The same for many checks. One query."""
    return _sparklines(_BY_CHECK, list(check_ids), window)


_BY_REGION = """
    SELECT region_id,
           floor(extract(epoch FROM at - %(start)s) / %(width)s)::int AS bucket,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms)
    FROM checks_checkresult
    WHERE at >= %(start)s AND at < %(end)s AND state <> 'indeterminate' AND check_id = %(check)s
    GROUP BY 1, 2
"""


def get_region_sparklines(check_id: UUID, window: timedelta = HOUR, count: int = 30) -> dict[UUID, list[float | None]]:
    """The same for one check, by region; a region that measured nothing is left out. One query."""
    end = clock.now()
    start = end - window
    lines: dict[UUID, list[float | None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_REGION, {"start": start, "end": end, "width": window.total_seconds() / count, "check": check_id}
        )
        for region_id, bucket, median in cursor.fetchall():
            if 0 <= bucket < count:
                lines.setdefault(region_id, [None] * count)[bucket] = round(median, 2)
    return lines


def _sparklines(
    statement: str, owners: list[UUID], window: timedelta, count: int = 30
) -> dict[UUID, list[float | None]]:
    end = clock.now()
    start = end - window
    lines: dict[UUID, list[float | None]] = {owner: [None] * count for owner in owners}
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "width": window.total_seconds() / count,
        "owners": owners,
        "untimed": untimed_kinds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for owner, bucket, median in cursor.fetchall():
            if 0 <= bucket < count:
                lines[owner][bucket] = round(median, 2)
    return lines


@dataclass(frozen=True)
class LatencyPoint:
    """One bucket of a latency chart: its start (Unix seconds) and percentiles in ms (None: nothing measured).

    `failed` counts the looks without an answer, those that were refused among them.
    """

    at: float
    count: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None


_LATENCY = """
    SELECT floor(extract(epoch FROM at - %(start)s) / %(width)s)::int,
           count(*), count(*) FILTER (WHERE state = 'failed' OR reason = ANY(%(refusals)s)),
           percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms)
               FILTER (WHERE state IN ('ok', 'degraded') AND reason <> ALL(%(refusals)s))
    FROM checks_checkresult
    WHERE at >= %(start)s AND at < %(end)s AND check_id = ANY(%(checks)s)
    GROUP BY 1
"""


def get_latency(check_ids: Sequence[UUID], start: datetime, end: datetime, count: int = 120) -> list[LatencyPoint]:
    """Percentiles of the looks that got an answer, in `count` equal buckets. Gaps stay gaps. One query."""
    width = (end - start).total_seconds() / count
    points = [LatencyPoint(start.timestamp() + width * position, 0, 0, None, None, None) for position in range(count)]
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "width": width,
        "checks": list(check_ids),
        "refusals": REFUSALS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LATENCY, values)
        for bucket, total, failed, percentiles in cursor.fetchall():
            if 0 <= bucket < count:
                p50, p95, p99 = percentiles or (None, None, None)
                points[bucket] = LatencyPoint(points[bucket].at, total, failed, p50, p95, p99)
    return points
