"""Silences: what somebody asked not to hear of for a while."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.alerts.matching import Labels, all_hold
from apps.alerts.stages.context import Candidate, RoutingContext, RoutingReason, SilenceFacts
from apps.alerts.stages.holding import Hold, Sorted, hold

NAME = "silence"


def silence(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold alerts that a silence matches. Of several the one that lasts longest is named."""
    return hold(NAME, _judge, context, candidates)


def _judge(context: RoutingContext, candidate: Candidate) -> Hold | None:
    alert = candidate.alert
    matching = [entry for entry in context.silences if hushes(entry, alert.environment, alert.labels, context.now)]
    if not matching:
        return None
    longest = max(matching, key=lambda entry: (entry.ends_at, entry.id))
    detail = {"silence": str(longest.id), "until": longest.ends_at.isoformat()}
    return Hold(RoutingReason.SILENCED, detail, longest.ends_at)


def hushes(entry: SilenceFacts, environment: UUID | None, labels: Labels, now: datetime) -> bool:
    """Whether a silence in force matches an alert of this environment with these labels."""
    if entry.ends_at <= now or entry.environment not in (None, environment):
        return False
    return all_hold(entry.matchers, labels)
