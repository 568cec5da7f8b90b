"""First stage: the implicit root route. A channel in no route of its own is told everything, at once."""

from __future__ import annotations

from dataclasses import replace

from apps.alerts.stages.context import Planned, RoutingContext


def follow_root_route(context: RoutingContext) -> RoutingContext:
    """Every event to every channel, in the order of the events."""
    deliveries = tuple(Planned(event, channel) for event in context.events for channel in context.channels)
    return replace(context, deliveries=deliveries)
