"""Event version 1, the only thing that is said to open pages and streams: *what* changed, never how it looks.

    {"v": 1, "id", "type", "ids": [...], "environment", "at"}

It carries no values, so hearing one tells nobody anything they may not read: the page fetches what it shows over
HTTP, where permission is asked. An empty `ids` means "some or all of this type": the reader fetches again whatever
it shows of that type. `environment` null concerns every environment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain
from uuid import UUID

import msgspec

from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News

VERSION = 1
RESYNC = "resync"  # news may have been missed: fetch everything that is shown
SUMMARY = "summary"  # the counts may have changed
# Above this many ids an event says "some or all" instead: fetching once is cheaper than reading the list.
MAX_IDS = 200
# The first words of all types, for whoever wants only some.
FAMILIES = (
    "target",
    "check",
    "incident",
    "alert",
    "rule",
    "route",
    "silence",
    "notification",
    "channel",
    "environment",
    "region",
    SUMMARY,
)
# Whatever happens to a target or an incident may change the counts of the overview.
_CHANGES_SUMMARY = ("target", "incident")


class Event(msgspec.Struct, frozen=True):
    """One piece of news for an open page. The field order is the order on the wire."""

    v: int
    id: UUID
    type: str
    ids: tuple[UUID, ...]
    environment: UUID | None
    at: datetime

    @property
    def family(self) -> str:
        """The first word of the type: `incident` of `incident.opened`."""
        return self.type.partition(".")[0]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Event])


def encode(value: Event | Iterable[Event]) -> bytes:
    """JSON of one event, or a JSON list of several."""
    return _encoder.encode(value if isinstance(value, Event) else list(value))


def decode(document: bytes) -> list[Event]:
    """Read back a JSON list of events. Raises `msgspec.DecodeError` for anything else."""
    return _decoder.decode(document)


def make_event(
    type: str, *, ids: Iterable[UUID] = (), environment: UUID | None = None, at: datetime | None = None
) -> Event:
    """A new event with its own id, dated now unless `at` says otherwise."""
    return Event(
        v=VERSION,
        id=uuid7(),
        type=type,
        ids=tuple(ids),
        environment=environment,
        at=at or clock.now(),
    )


class EventBag:
    """Events waiting to be told, merged by type and environment: one each, with united ids and the latest id and time.

    So it is bounded by the number of types and environments, however much happens while nobody reads.
    """

    def __init__(self) -> None:
        self._events: dict[tuple[str, UUID | None], Event] = {}

    def add(self, event: Event) -> None:
        key = (event.type, event.environment)
        # The merged event moves to the end: what changed last is told last.
        earlier = self._events.pop(key, None)
        self._events[key] = event if earlier is None else _merged(earlier, event)

    def take(self) -> list[Event]:
        """Everything that waits, oldest first; the bag is empty afterwards."""
        events = list(self._events.values())
        self._events.clear()
        return events

    def __len__(self) -> int:
        return len(self._events)


def _merged(earlier: Event, later: Event) -> Event:
    if not earlier.ids or not later.ids:
        ids: tuple[UUID, ...] = ()
    else:
        ids = tuple(dict.fromkeys((*earlier.ids, *later.ids)))
    return msgspec.structs.replace(later, ids=_bounded(ids))


def _bounded(ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return ids if len(ids) <= MAX_IDS else ()


def events_of(news: Iterable[News]) -> dict[UUID | None, list[Event]]:
    """News of one transaction as events, by environment; at most one event a type and environment.

    Adds a `summary` event wherever a target or an incident is concerned.
    """
    groups: dict[tuple[UUID | None, str], list[News]] = {}
    for item in news:
        groups.setdefault((item.environment, item.type), []).append(item)
    by_environment: dict[UUID | None, list[Event]] = {}
    for (environment, type), items in groups.items():
        by_environment.setdefault(environment, []).append(_event_of(type, environment, items))
    for environment, events in by_environment.items():
        if any(event.family in _CHANGES_SUMMARY for event in events):
            events.append(make_event(SUMMARY, environment=environment, at=events[-1].at))
    return by_environment


def _event_of(type: str, environment: UUID | None, items: list[News]) -> Event:
    about_all = any(not item.ids for item in items)
    ids = () if about_all else tuple(dict.fromkeys(chain.from_iterable(item.ids for item in items)))
    return make_event(type, ids=_bounded(ids), environment=environment, at=items[-1].at)
