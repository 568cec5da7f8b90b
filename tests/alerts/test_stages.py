"""Who is told: lists in, lists out."""

from __future__ import annotations

from uuid import UUID

from apps.alerts.stages import RoutingContext, plan
from apps.alerts.stages.context import ChannelFacts, EventFacts

PROD, DEV = UUID(int=1), UUID(int=2)
EVERYWHERE = ChannelFacts(UUID(int=10), None)
ONLY_PROD = ChannelFacts(UUID(int=11), PROD)
ONLY_DEV = ChannelFacts(UUID(int=12), DEV)


def event(number: int, environment: UUID) -> EventFacts:
    return EventFacts(UUID(int=100 + number), "incident.opened", UUID(int=200), environment, number)


def told(events: list[EventFacts], channels: list[ChannelFacts]) -> list[tuple[int, UUID]]:
    context = plan(RoutingContext(events=tuple(events), channels=tuple(channels)))
    return [(planned.event.sequence, planned.channel.id) for planned in context.deliveries]


def test_a_channel_in_no_route_hears_everything_in_order() -> None:
    assert told([event(1, PROD), event(2, DEV)], [EVERYWHERE]) == [(1, EVERYWHERE.id), (2, EVERYWHERE.id)]


def test_a_channel_with_an_environment_hears_of_that_one_only() -> None:
    heard = told([event(1, PROD), event(2, DEV)], [ONLY_PROD, ONLY_DEV, EVERYWHERE])
    assert heard == [(1, ONLY_PROD.id), (1, EVERYWHERE.id), (2, ONLY_DEV.id), (2, EVERYWHERE.id)]


def test_without_channels_or_events_nobody_is_told() -> None:
    assert told([event(1, PROD)], []) == []
    assert told([], [EVERYWHERE]) == []
