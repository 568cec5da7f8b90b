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
from apps.dashboard.explaining import Explanation, explanations_of

# The order in which somebody on call reads.
URGENCY = (Status.OUTAGE, Status.DEGRADED, Status.UNKNOWN, Status.MAINTENANCE, Status.OPERATIONAL)
SEGMENTS = 48


@dataclass(frozen=True)
class TargetRow:
    """One target: why it is as it is ("" for a good one that nobody doubts); `ratio` is its uptime 0..1 over 24 h, None
    unmeasured.

    `facts` and `blame` are a model's: what was measured last, and whose fault what is wrong with it is. `in_doubt`:
    its looks say worse than its status.
    """

    target: Target
    why: str = ""
    ratio: float | None = None
    segments: list[uptime.Segment] = field(default_factory=list)
    sparkline: list[float | None] = field(default_factory=list)
    median_ms: float | None = None
    facts: ModelFacts | None = None
    blame: Blame | None = None
    in_doubt: bool = False

    @property
    def names_class(self) -> bool:
        """Whether the class of error says something that `why` does not."""
        if self.blame is None:
            return False
        return self.in_doubt or not self.why or self.blame.reason != self.target.status_row.reason


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
    explained = explanations_of(found, known)
    ratios = {pk: report.ratio for pk, report in reports.items()} | {pk: _ratio(bar) for pk, bar in segments.items()}
    return [
        TargetRow(
            target=target,
            why=_why(target, seen, explained.get(target.pk), known.get(target.pk)),
            ratio=_uptime(known.get(target.pk), ratios[target.pk]),
            segments=segments.get(target.pk, []),
            sparkline=lines.get(target.pk, []),
            median_ms=middles.get(target.pk),
            facts=known.get(target.pk),
            blame=blame_of(known.get(target.pk)),
            in_doubt=target.pk in explained and _is_doubted(target, explained[target.pk]),
        )
        for target in found
    ]


def _uptime(facts: ModelFacts | None, by_time: float | None) -> float | None:
    """Of a model by its looks, without those that met a rate limit; of everything else by time."""
    return facts.uptime_24h if facts is not None and facts.looks_24h else by_time


def _is_doubted(target: Target, explanation: Explanation) -> bool:
    return explanation.doubt is not None or target.status_row.status == Status.OPERATIONAL


def _ratio(segments: Iterable[uptime.Segment]) -> float | None:
    """The uptime of the whole bar: its segments hold every second of it."""
    seconds: Counter[Status] = Counter()
    for segment in segments:
        seconds.update(segment.seconds)
    return uptime.UptimeReport(dict(seconds)).ratio


def _why(
    target: Target, seen: Mapping[UUID, glance.Seen], explanation: Explanation | None, facts: ModelFacts | None
) -> str:
    """The reason of the present status as a sentence, or what is to be known beside it; "" for a target that is well.

    Beside the class of an error, what was found need not be said again.
    """
    row = target.status_row
    if explanation is not None:
        return explanation.short if blame_of(facts) is not None else explanation.text
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
