"""Quiet hours: a channel for people is not disturbed by what can wait. What is critical cannot."""

from __future__ import annotations

from apps.alerts.stages.context import Candidate, RoutingContext, RoutingReason
from apps.alerts.stages.holding import Hold, Sorted, hold
from apps.alerts.stages.news import CRITICAL
from apps.alerts.times import is_inside, next_change

NAME = "quiet_hours"


def quiet_hours(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold what is not critical while its channel has quiet hours."""
    return hold(NAME, _judge, context, candidates)


def _judge(context: RoutingContext, candidate: Candidate) -> Hold | None:
    channel = candidate.group.channel
    if channel.machine or candidate.alert.severity == CRITICAL:
        return None
    if not is_inside(channel.quiet_hours, channel.time_zone, context.now):
        return None
    until = next_change(channel.quiet_hours, channel.time_zone, context.now)
    return Hold(RoutingReason.QUIET_HOURS, {"until": until.isoformat()}, until)
