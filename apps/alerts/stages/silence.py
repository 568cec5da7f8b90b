"""Silences: what somebody asked not to hear of for a while."""

from __future__ import annotations

from apps.alerts.matching import all_hold
from apps.alerts.stages.context import AlertFacts, Candidate, RoutingContext, RoutingReason, SilenceFacts
from apps.alerts.stages.holding import Hold, Sorted, hold

NAME = "silence"


def silence(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold alerts that a silence matches. Of several the one that lasts longest is named."""
    return hold(NAME, _judge, context, candidates)


def _judge(context: RoutingContext, candidate: Candidate) -> Hold | None:
    matching = [entry for entry in context.silences if _hushes(entry, candidate.alert, context)]
    if not matching:
        return None
    longest = max(matching, key=lambda entry: (entry.ends_at, entry.id))
    detail = {"silence": str(longest.id), "until": longest.ends_at.isoformat()}
    return Hold(RoutingReason.SILENCED, detail, longest.ends_at)


def _hushes(entry: SilenceFacts, alert: AlertFacts, context: RoutingContext) -> bool:
    if entry.ends_at <= context.now or entry.environment not in (None, alert.environment):
        return False
    return all_hold(entry.matchers, alert.labels)
