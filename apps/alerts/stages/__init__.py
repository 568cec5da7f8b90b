"""From what happened to who is told: small pure stages, in reading order.

Each takes the context and returns one with fewer (or, for the first, all) planned deliveries. Nothing is kept between
batches and nothing is read from elsewhere, so a stage is tested with a list in and a list out.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.alerts.stages.context import RoutingContext
from apps.alerts.stages.environment import keep_own_environment
from apps.alerts.stages.route import follow_root_route

__all__ = ["STAGES", "RoutingContext", "plan"]

Stage = Callable[[RoutingContext], RoutingContext]

STAGES: tuple[Stage, ...] = (follow_root_route, keep_own_environment)


def plan(context: RoutingContext) -> RoutingContext:
    """Run every stage; `deliveries` of the result is who is told what."""
    for stage in STAGES:
        context = stage(context)
    return context
