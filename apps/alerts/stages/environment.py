"""Second stage: a channel bound to an environment hears of that one only."""

from __future__ import annotations

from dataclasses import replace

from apps.alerts.stages.context import RoutingContext


def keep_own_environment(context: RoutingContext) -> RoutingContext:
    """Drop what happened in another environment than the channel's."""
    kept = tuple(
        planned for planned in context.deliveries if planned.channel.environment in (None, planned.event.environment)
    )
    return replace(context, deliveries=kept)
