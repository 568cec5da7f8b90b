"""`latency`: how long looks take to be answered, as a percentile over a window."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.checks.history import untimed_kinds
from apps.checks.readings import get_check_shapes, get_percentile_history, get_percentiles
from apps.core.durations import in_words
from apps.core.kindconfig import Text, field
from apps.probes.base import PROBE_KINDS

_FRACTIONS = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
# A back-test reads at most this many points a target.
_MOST_BUCKETS = 2_016


class LatencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which percentile, over how long, and of which checks."""

    percentile: Annotated[
        Literal["p50", "p75", "p90", "p95", "p99"],
        field(_("Percentile"), _("p95: nineteen of twenty looks were answered faster than this.")),
    ] = "p95"
    window_seconds: Annotated[
        int,
        field(
            _("Over"),
            _("The looks of this long until now, all checks and regions of the target together."),
            widget="duration",
            ge=30,
            le=86_400,
        ),
    ] = 300
    check_kinds: Annotated[
        list[str], field(_("Kinds of check"), _("Such as http, one a line. Nothing: every kind."), max_length=40)
    ] = []

    def check(self) -> dict[str, list[Text]]:
        timed = sorted(set(PROBE_KINDS.names()) - set(untimed_kinds()))
        if not set(self.check_kinds) <= set(timed):
            return {"check_kinds": [_("List some of: %(known)s.") % {"known": ", ".join(timed)}]}
        return {}

    @property
    def fraction(self) -> float:
        return _FRACTIONS[self.percentile]

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_seconds)


class LatencyKind(RuleKind[LatencyConfig]):
    """Looks that failed have no response time: with none answered there is no data."""

    name = "latency"
    label = _("Response time")
    help_text = _("A percentile of the response times of a target's checks over a window. Looks that failed have none.")
    Config = LatencyConfig
    unit = "ms"
    cause = "latency"
    keeps_history = True

    def read(self, config: LatencyConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        found = get_percentiles(targets, config.fraction, config.window, now, config.check_kinds)
        return {
            target: Reading(round(milliseconds, 1), {"percentile": config.percentile, "looks": looks})
            for target, (milliseconds, looks) in found.items()
        }

    def lookback_seconds(self, config: LatencyConfig) -> float:
        return float(config.window_seconds)

    def warnings(self, config: LatencyConfig, targets: Collection[UUID]) -> list[str]:
        untimed = untimed_kinds()
        intervals = [
            shape.interval_seconds
            for shape in get_check_shapes(targets)
            if shape.kind not in untimed and (not config.check_kinds or shape.kind in config.check_kinds)
        ]
        if not intervals:
            return [translated("None of these targets has a check that measures response times, so it cannot fire.")]
        return seldom_looked(intervals, config.window_seconds)

    def history(
        self, config: LatencyConfig, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        """In stretches of the window, one after another; a stretch is known at its end."""
        width = buckets_of(config.window_seconds, since, until)
        rows = get_percentile_history(targets, config.fraction, width, start=since, end=until, kinds=config.check_kinds)
        return along_buckets(rows, width, since=since, until=until)


def seldom_looked(intervals: Collection[float], window_seconds: float) -> list[str]:
    """A sentence where even the check that looks most often does so less than once a window."""
    if min(intervals) <= window_seconds:
        return []
    sentence = translated(
        "No check of these targets looks as often as once in %(window)s, so most of the time there is no "
        "data. Choose a longer window."
    )
    return [sentence % {"window": in_words(window_seconds)}]


def buckets_of(window_seconds: float, since: datetime, until: datetime) -> timedelta:
    """How wide the stretches of a back-test are: the window, or wider where they would be too many."""
    return max(timedelta(seconds=window_seconds), (until - since) / _MOST_BUCKETS)


def along_buckets(
    rows: list[tuple[UUID, int, float | None]], width: timedelta, *, since: datetime, until: datetime
) -> History:
    """Buckets as points at their ends. A gap of more than a bucket is no data from where the last one ended."""
    found: dict[UUID | None, list[tuple[datetime, float | None]]] = {}
    latest: dict[UUID, int] = {}
    for target, bucket, value in rows:
        points = found.setdefault(target, [])
        if target in latest and bucket > latest[target] + 1:
            points.append((since + width * (latest[target] + 2), None))
        points.append((min(since + width * (bucket + 1), until), value))
        latest[target] = bucket
    return found


RULE_KINDS.add(LatencyKind.name, LatencyKind())
