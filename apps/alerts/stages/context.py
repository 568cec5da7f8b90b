"""What the stages see: one explicit object, nothing smuggled."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class EventFacts:
    """One incident event that channels may be told of. `type` is the word on the wire, such as "incident.opened"."""

    id: UUID
    type: str
    incident: UUID
    environment: UUID
    sequence: int


@dataclass(frozen=True)
class ChannelFacts:
    """A channel that is present and switched on. No environment: it hears of all of them."""

    id: UUID
    environment: UUID | None


@dataclass(frozen=True)
class Planned:
    """This channel is to be told of this event."""

    event: EventFacts
    channel: ChannelFacts


@dataclass(frozen=True)
class RoutingContext:
    """One batch: its events in order, every channel there is, and what has been planned so far."""

    events: tuple[EventFacts, ...]
    channels: tuple[ChannelFacts, ...]
    deliveries: tuple[Planned, ...] = ()
