"""Targets as rows: each with its reason as a sentence, its last 24 hours and its last hour, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Lower

from apps.catalog.models import Target, TargetKind
from apps.catalog.status import Status
from apps.checks import glance, history, uptime
from apps.checks.ai.selectors import ModelFacts, model_facts
from apps.checks.reasons import sentence
from apps.dashboard.ai.blame import Blame, blame_of

# The order in which somebody on call reads.
URGENCY = (Status.OUTAGE, Status.DEGRADED, Status.UNKNOWN, Status.MAINTENANCE, Status.OPERATIONAL)
SEGMENTS = 48


@dataclass(frozen=True)
class TargetRow:
    """One target: why it is as it is ("" for a good one); `ratio` is its uptime 0..1 over 24 h, None unmeasured.

    `facts` and `blame` are a model's: what was measured last, and whose fault what is wrong with it is.
    """

    target: Target
    why: str = ""
    ratio: float | None = None
    segments: list[uptime.Segment] = field(default_factory=list)
    sparkline: list[float | None] = field(default_factory=list)
    median_ms: float | None = None
    facts: ModelFacts | None = None
    blame: Blame | None = None


def urgency(prefix: str = "") -> Case:
    """0 for an outage to 4 for operational, for ordering targets reached by `prefix`."""
    path = f"{prefix}status_row__status"
    return Case(
        *(When(**{path: status.value}, then=Value(rank)) for rank, status in enumerate(URGENCY)),
        default=Value(URGENCY.index(Status.UNKNOWN)),
        output_field=IntegerField(),
    )


def by_name(prefix: str = "") -> Lower:
    return Lower(f"{prefix}name")


def rows_of(
    targets: Iterable[Target],
    *,
    bars: bool = False,
    sparklines: bool = False,
    medians: bool = False,
    facts: bool = False,
) -> list[TargetRow]:
    """Rows for targets that carry their `status_row`. A fixed number of queries, whatever their number."""
    found = list(targets)
    if not found:
        return []
    identifiers = [target.pk for target in found]
    segments = history.get_history_bars(identifiers, history.DAY, SEGMENTS) if bars else {}
    reports = {} if bars else history.get_uptime(identifiers, history.DAY)
    lines = history.get_sparklines(identifiers) if sparklines else {}
    middles = glance.get_medians(identifiers) if medians else {}
    known = model_facts([target.pk for target in found if target.kind == TargetKind.MODEL]) if facts else {}
    seen = glance.get_last_seen(target.status_row.cause_check for target in found)
    ratios = {pk: report.ratio for pk, report in reports.items()} | {pk: _ratio(bar) for pk, bar in segments.items()}
    return [
        TargetRow(
            target=target,
            why=why(target, seen),
            ratio=_uptime(known.get(target.pk), ratios[target.pk]),
            segments=segments.get(target.pk, []),
            sparkline=lines.get(target.pk, []),
            median_ms=middles.get(target.pk),
            facts=known.get(target.pk),
            blame=blame_of(known.get(target.pk)),
        )
        for target in found
    ]


def _uptime(facts: ModelFacts | None, by_time: float | None) -> float | None:
    """Of a model by its looks, without those that met a rate limit; of everything else by time."""
    return by_time if facts is None or facts.uptime_24h is None else facts.uptime_24h


def _ratio(segments: Iterable[uptime.Segment]) -> float | None:
    """The uptime of the whole bar: its segments hold every second of it."""
    seconds: Counter[Status] = Counter()
    for segment in segments:
        seconds.update(segment.seconds)
    return uptime.UptimeReport(dict(seconds)).ratio


def why(target: Target, seen: Mapping[UUID, glance.Seen]) -> str:
    """The reason of the present status as a sentence; "" for a target that is well."""
    row = target.status_row
    if row.status == Status.OPERATIONAL:
        return ""
    if not target.enabled:
        return sentence("paused")
    return sentence(row.reason, evidence_for(target, seen))


def evidence_for(target: Target, seen: Mapping[UUID, glance.Seen]) -> dict[str, Any]:
    """What the check that decides the target's status saw last; empty when there is none."""
    cause = target.status_row.cause_check
    found = seen.get(cause) if cause is not None else None
    return found.evidence if found is not None else {}
