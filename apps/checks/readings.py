"""What was measured of many targets at once, for whoever judges it: one query each, whatever their number.

A target that is left out of an answer has no such measurement.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from apps.checks.history import REFUSALS, untimed_kinds

# A certificate is read whenever a connection is opened: at every look, or now and then where one is kept.
_CERTIFICATE_READ_WITHIN = timedelta(hours=1)
# Three times the longest interval a check may have.
_LONGEST_AGO = timedelta(days=3)


def _rows(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


# --- As things stand --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatusReading:
    status: str
    reason: str
    since: datetime


def get_statuses(target_ids: Collection[UUID]) -> dict[UUID, StatusReading]:
    """The status of each target. One query."""
    statement = "SELECT target_id, status, reason, since FROM catalog_targetstatus WHERE target_id = ANY(%(ids)s)"
    return {row[0]: StatusReading(*row[1:]) for row in _rows(statement, {"ids": list(target_ids)})}


@dataclass(frozen=True)
class VerdictReading:
    """Of a target's enabled checks of some kinds: the names of those that failed, and why the first of them did."""

    failed: tuple[str, ...]
    reason: str


_VERDICTS = """
    SELECT c.target_id,
           coalesce(array_agg(c.name ORDER BY c.name) FILTER (WHERE k.verdict = 'outage'), '{}'),
           coalesce((array_agg(k.reason ORDER BY c.name) FILTER (WHERE k.verdict = 'outage'))[1], '')
    FROM checks_check c JOIN checks_checkstatus k ON k.check_id = c.id
    WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND k.verdict <> 'unknown'
      AND (%(all)s OR c.kind = ANY(%(kinds)s) OR c.portal_part = ANY(%(parts)s))
    GROUP BY 1
"""


def get_verdicts(
    target_ids: Collection[UUID], kinds: Collection[str] = (), parts: Collection[str] = ()
) -> dict[UUID, VerdictReading]:
    """What the checks of some kinds, or of some parts of the portal itself (neither: all checks), agree on."""
    every = not kinds and not parts
    parameters = {"ids": list(target_ids), "all": every, "kinds": list(kinds), "parts": list(parts)}
    return {row[0]: VerdictReading(tuple(row[1]), row[2]) for row in _rows(_VERDICTS, parameters)}


# --- Over a window ----------------------------------------------------------------------------------------


class Measure(StrEnum):
    """What of a look is read. The values are columns of its result, or names within its measurements."""

    DURATION = "duration_ms"
    FIRST_TOKEN = "ttft_ms"  # noqa: S105 - a name of a measurement
    FIRST_ANSWER = "answer_ttft_ms"
    SPEED = "output_tokens_per_second"

    @property
    def column(self) -> str:
        """As SQL, of a result `r`; NULL where the look did not measure it."""
        return "r.duration_ms" if self is Measure.DURATION else f"(r.measurements->>'{self.value}')::float8"


_PERCENTILES = """
    SELECT c.target_id, percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY {value}), count({value})
    FROM checks_check c JOIN checks_checkresult r ON r.check_id = c.id
    WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND c.kind <> ALL(%(untimed)s)
      AND (%(all)s OR c.kind = ANY(%(kinds)s))
      AND r.at > %(start)s AND r.at <= %(end)s AND r.state IN ('ok', 'degraded') AND r.reason <> ALL(%(refusals)s)
    GROUP BY 1 HAVING count({value}) > 0
"""


def get_percentiles(
    target_ids: Collection[UUID],
    fraction: float,
    window: timedelta,
    now: datetime,
    kinds: Collection[str] = (),
    *,
    measure: Measure = Measure.DURATION,
) -> dict[UUID, tuple[float, int]]:
    """The measure (ms, or tokens a second) at `fraction` (0 to 1) of the looks that got an answer in the window, and
    how many have it."""
    parameters = {
        "ids": list(target_ids),
        "fraction": fraction,
        "untimed": untimed_kinds(),
        "refusals": REFUSALS,
        "all": not kinds,
        "kinds": list(kinds),
        "start": now - window,
        "end": now,
    }
    rows = _rows(_PERCENTILES.format(value=measure.column), parameters)
    return {row[0]: (row[1], row[2]) for row in rows}


@dataclass(frozen=True)
class ReasonShare:
    """Of `looks` that found something out, how many ended for one of some reasons, and for which most often."""

    counted: int
    looks: int
    commonest: str


_SHARES = """
    SELECT c.target_id, count(*) FILTER (WHERE r.reason = ANY(%(reasons)s)), count(*),
           coalesce(mode() WITHIN GROUP (ORDER BY r.reason) FILTER (WHERE r.reason = ANY(%(reasons)s)), '')
    FROM checks_check c JOIN checks_checkresult r ON r.check_id = c.id
    WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND c.kind = ANY(%(kinds)s)
      AND r.at > %(start)s AND r.at <= %(end)s AND r.state <> 'indeterminate'
    GROUP BY 1
"""


def get_shares_of_reasons(
    target_ids: Collection[UUID], reasons: Collection[str], kinds: Collection[str], window: timedelta, now: datetime
) -> dict[UUID, ReasonShare]:
    """How many looks of the window, by checks of these kinds, ended for one of `reasons`. One query."""
    parameters = {
        "ids": list(target_ids),
        "reasons": list(reasons),
        "kinds": list(kinds),
        "start": now - window,
        "end": now,
    }
    return {row[0]: ReasonShare(*row[1:]) for row in _rows(_SHARES, parameters)}


_UPTIME = """
    WITH spans AS (
        SELECT target_id, to_status,
               extract(epoch FROM lead(at, 1, %(end)s) OVER (PARTITION BY target_id ORDER BY at) - at) AS seconds
        FROM (
            SELECT w.target_id, s.to_status, %(start)s AS at
            FROM unnest(%(ids)s::uuid[]) AS w(target_id) CROSS JOIN LATERAL (
                SELECT to_status FROM checks_statechange
                WHERE target_id = w.target_id AND at <= %(start)s ORDER BY at DESC LIMIT 1
            ) s
            UNION ALL
            SELECT target_id, to_status, at FROM checks_statechange
            WHERE target_id = ANY(%(ids)s::uuid[]) AND at > %(start)s AND at <= %(end)s
        ) changes
    )
    SELECT target_id, sum(seconds) FILTER (WHERE to_status IN ('operational', 'degraded')), sum(seconds)
    FROM spans WHERE to_status IN ('operational', 'degraded', 'outage') GROUP BY 1
"""


def get_uptime_percentages(target_ids: Collection[UUID], window: timedelta, now: datetime) -> dict[UUID, float]:
    """Uptime (0 to 100) over the window, by the same arithmetic as `uptime.report`."""
    rows = _rows(_UPTIME, {"ids": list(target_ids), "start": now - window, "end": now})
    return {target: 100.0 * float(up or 0) / float(measured) for target, up, measured in rows if measured}


_CERTIFICATES = """
    SELECT c.target_id, min(s.days) FROM checks_check c CROSS JOIN LATERAL (
        SELECT (r.measurements->>'certificate_days')::float8
                   - extract(epoch FROM %(now)s - r.at)::float8 / 86400 AS days
        FROM checks_checkresult r
        WHERE r.check_id = c.id AND r.at > %(earliest)s AND r.at <= %(now)s
          AND r.at > %(now)s - greatest(%(within)s, make_interval(secs => 3 * c.interval_seconds))
          AND r.measurements ? 'certificate_days'
        ORDER BY r.at DESC LIMIT 1
    ) s
    WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND c.config->>'url' ILIKE 'https:%%'
    GROUP BY 1
"""


def get_certificate_days(target_ids: Collection[UUID], now: datetime) -> dict[UUID, float]:
    """Days until the first certificate of the target's https checks ends, from what the latest looks measured.

    Every look over TLS stores them with its result, whatever it found; between two looks they go on running out.
    """
    parameters = {
        "ids": list(target_ids),
        "now": now,
        "earliest": now - _LONGEST_AGO,
        "within": _CERTIFICATE_READ_WITHIN,
    }
    return dict(_rows(_CERTIFICATES, parameters))


# --- Over stored history ----------------------------------------------------------------------------------


def get_verdict_history(
    target_ids: Collection[UUID], kinds: Collection[str], parts: Collection[str], start: datetime, end: datetime
) -> list[tuple[UUID, datetime, bool]]:
    """(target, moment, whether an outage began that such a check caused), oldest first: every change of status."""
    every = not kinds and not parts
    return _rows(
        """
        SELECT s.target_id, s.at, s.to_status = 'outage'
               AND (%(all)s OR coalesce(c.kind = ANY(%(kinds)s) OR c.portal_part = ANY(%(parts)s), false))
        FROM checks_statechange s LEFT JOIN checks_check c ON c.id = s.check_id
        WHERE s.target_id = ANY(%(ids)s) AND s.at > %(start)s AND s.at <= %(end)s ORDER BY s.at
        """,
        {
            "ids": list(target_ids),
            "all": every,
            "kinds": list(kinds),
            "parts": list(parts),
            "start": start,
            "end": end,
        },
    )


_PERCENTILE_HISTORY = """
    SELECT c.target_id, floor(extract(epoch FROM r.at - %(start)s) / %(width)s)::int,
           percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY {value})
               FILTER (WHERE r.state IN ('ok', 'degraded') AND r.reason <> ALL(%(refusals)s))
    FROM checks_check c JOIN checks_checkresult r ON r.check_id = c.id
    WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND c.kind <> ALL(%(untimed)s)
      AND (%(all)s OR c.kind = ANY(%(kinds)s)) AND r.at > %(start)s AND r.at <= %(end)s
    GROUP BY 1, 2 ORDER BY 2
"""
Buckets = list[tuple[UUID, int, "float | None"]]


def get_percentile_history(
    target_ids: Collection[UUID],
    fraction: float,
    width: timedelta,
    *,
    start: datetime,
    end: datetime,
    kinds: Collection[str] = (),
    measure: Measure = Measure.DURATION,
) -> Buckets:
    """(target, number of the bucket from `start`, the measure): every bucket in which anything was looked at."""
    parameters = {
        "ids": list(target_ids),
        "fraction": fraction,
        "width": width.total_seconds(),
        "untimed": untimed_kinds(),
        "refusals": REFUSALS,
        "all": not kinds,
        "kinds": list(kinds),
        "start": start,
        "end": end,
    }
    return _rows(_PERCENTILE_HISTORY.format(value=measure.column), parameters)


def get_certificate_history(
    target_ids: Collection[UUID], width: timedelta, *, start: datetime, end: datetime
) -> Buckets:
    """(target, number of the bucket, fewest days left in it): every bucket in which a certificate was read."""
    return _rows(
        """
        SELECT c.target_id, floor(extract(epoch FROM r.at - %(start)s) / %(width)s)::int,
               min((r.measurements->>'certificate_days')::float8)
        FROM checks_check c JOIN checks_checkresult r ON r.check_id = c.id
        WHERE c.target_id = ANY(%(ids)s) AND c.enabled AND c.deleted_at IS NULL AND c.config->>'url' ILIKE 'https:%%'
          AND r.at > %(start)s AND r.at <= %(end)s AND r.measurements ? 'certificate_days'
        GROUP BY 1, 2 ORDER BY 2
        """,
        {"ids": list(target_ids), "width": width.total_seconds(), "start": start, "end": end},
    )


# --- Whether anybody looks at all -------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckShape:
    """How a target's checks look: what a rule about them can ever see."""

    target: UUID
    kind: str
    interval_seconds: int
    portal_part: str
    is_https: bool


def get_check_shapes(target_ids: Collection[UUID]) -> Sequence[CheckShape]:
    """Every enabled check of the targets. One query."""
    rows = _rows(
        """
        SELECT target_id, kind, interval_seconds, portal_part, coalesce(config->>'url' ILIKE 'https:%%', false)
        FROM checks_check WHERE target_id = ANY(%(ids)s) AND enabled AND deleted_at IS NULL
        """,
        {"ids": list(target_ids)},
    )
    return [CheckShape(*row) for row in rows]
