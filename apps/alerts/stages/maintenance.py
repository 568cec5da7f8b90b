"""Maintenance: what is being worked on is not told, to anybody, while it lasts."""

from __future__ import annotations

from apps.alerts.stages.context import Candidate, RoutingContext, RoutingReason
from apps.alerts.stages.holding import Hold, Sorted, hold

NAME = "maintenance"


def maintenance(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold alerts of targets in maintenance."""
    return hold(NAME, _judge, context, candidates)


def _judge(_context: RoutingContext, candidate: Candidate) -> Hold | None:
    if not candidate.alert.in_maintenance:
        return None
    return Hold(RoutingReason.IN_MAINTENANCE)
