"""What the holding stages share: a candidate with a reason to wait is held, or dropped if it is over untold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.alerts.stages.context import Candidate, Decision, Outcome, RoutingContext, RoutingReason
from apps.alerts.stages.news import ended_untold, untold_steps, was_told_resolved

Sorted = tuple[list[Candidate], list[Decision]]


@dataclass(frozen=True)
class Hold:
    """Why a candidate waits, and until when at most (None: until something happens).

    `detail` stays the same from look to look, so that one hold is written down once.
    """

    reason: RoutingReason
    detail: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


Judge = Callable[[RoutingContext, Candidate], Hold | None]


def hold(stage: str, judge: Judge, context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold every candidate that `judge` finds a reason for, and pass on the rest in order."""
    kept: list[Candidate] = []
    decisions: list[Decision] = []
    for candidate in candidates:
        found = judge(context, candidate) if _may_be_told(candidate) else None
        if found is None:
            kept.append(candidate)
        else:
            decisions.append(_decide(candidate, stage, found))
    return kept, decisions


def _decide(candidate: Candidate, stage: str, found: Hold) -> Decision:
    if ended_untold(candidate):
        detail = {**found.detail, "held_by": found.reason.value}
        return Decision(candidate, Outcome.DROPPED, stage, RoutingReason.NEVER_TOLD, detail)
    return Decision(candidate, Outcome.HELD, stage, found.reason, found.detail, found.until)


def _may_be_told(candidate: Candidate) -> bool:
    """Whether it could stand in a message at all: what is firing for people even without news, beside what has some."""
    if candidate.group.channel.machine:
        return bool(untold_steps(candidate))
    return not was_told_resolved(candidate)
