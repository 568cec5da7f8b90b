"""Deduplication: only what a channel has not heard yet, and what belongs to it in the same message."""

from __future__ import annotations

from apps.alerts.stages.context import Candidate, Decision, Outcome, RoutingContext, RoutingReason
from apps.alerts.stages.holding import Sorted
from apps.alerts.stages.news import ended_untold, has_news, is_in_hand, next_reminder

NAME = "dedup"


def dedup(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Keep what has news and, in a group of people's with any, what was told and still fires. Drop the rest."""
    fresh = {
        candidate.group.id
        for candidate in candidates
        if not candidate.group.channel.machine and has_news(candidate, context.now)
    }
    kept: list[Candidate] = []
    decisions: list[Decision] = []
    for candidate in candidates:
        reason = _nothing_to_tell(context, candidate, is_group_fresh=candidate.group.id in fresh)
        if reason is None:
            kept.append(candidate)
        else:
            until = next_reminder(candidate, candidate.group.told_at)
            decisions.append(Decision(candidate, Outcome.DROPPED, NAME, reason, until=until))
    return kept, decisions


def _nothing_to_tell(context: RoutingContext, candidate: Candidate, *, is_group_fresh: bool) -> RoutingReason | None:
    is_machine = candidate.group.channel.machine
    # A machine hears of every step, however short; but not of what began and ended while it was held.
    if ended_untold(candidate) and (candidate.held or not is_machine):
        return RoutingReason.NEVER_TOLD
    if has_news(candidate, context.now):
        return None
    if is_group_fresh and candidate.alert.is_firing:
        return None
    return RoutingReason.ACKNOWLEDGED if is_in_hand(candidate, context.now) else RoutingReason.NOTHING_NEW
