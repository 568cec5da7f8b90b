"""The tree of routes: from an alert's labels to the channels that hear of it. Pure.

Siblings are asked in order. The first that matches takes the alert, unless it says to continue; its own children are
asked next, and the deepest that match are where the alert goes. Above the first row stands the implicit root, which
matches everything and holds the channels that no enabled route names: they hear of every alert.

What a route leaves empty it has from the route it is inside of. Times of day and week are a condition like any other:
outside of them a route does not match, and the next one is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from apps.alerts.matching import Labels, Matcher
from apps.alerts.times import TimeRange, is_inside

# Routes further inside one another than this are never reached; saving refuses them.
MAX_DEPTH = 20

ROOT_GROUP_WAIT_SECONDS = 0
ROOT_GROUP_INTERVAL_SECONDS = 60
ROOT_REPEAT_INTERVAL_SECONDS = 4 * 3_600

Value = TypeVar("Value")


class StepReason(StrEnum):
    """Why a route did or did not take an alert. Words: `reason_words.step_sentence`."""

    ROOT = "root"
    MATCHES = "matches"
    DISABLED = "disabled"
    NOT_NOW = "not_now"
    MATCHER = "matcher"
    UNREADABLE = "unreadable"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class RouteFacts:
    """One route as it is stored. None (no channels: empty) is inherited; `group_by` () puts all alerts together."""

    id: UUID
    name: str
    parent: UUID | None = None
    position: int = 0
    matchers: tuple[Matcher, ...] = ()
    channels: tuple[UUID, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait_seconds: int | None = None
    group_interval_seconds: int | None = None
    repeat_interval_seconds: int | None = None
    continue_matching: bool = False
    active_times: tuple[TimeRange, ...] = ()
    time_zone: str = "UTC"
    enabled: bool = True
    # False: what it takes, or when, cannot be read, so it takes nothing.
    is_readable: bool = True


@dataclass(frozen=True)
class ResolvedRoute:
    """A route with all it inherits. `id` None: the implicit root; `group_by` None: each alert by itself."""

    id: UUID | None
    channels: tuple[UUID, ...]
    group_by: tuple[str, ...] | None
    group_wait_seconds: int
    group_interval_seconds: int
    repeat_interval_seconds: int


@dataclass(frozen=True)
class Step:
    """What one route said. `route` None: the implicit root, at depth 0. `taken`: the alert goes to its channels.

    `matcher` is the first one that does not hold, where `why` is `matcher`.
    """

    route: RouteFacts | None
    depth: int
    matched: bool
    why: StepReason
    taken: bool
    matcher: Matcher | None = None


class Tree:
    """All routes, enabled or not, and the channels that no enabled one names."""

    def __init__(self, routes: Iterable[RouteFacts], unrouted: Iterable[UUID]) -> None:
        ordered = sorted(routes, key=lambda route: (route.position, route.id))
        self._routes = {route.id: route for route in ordered}
        self._children: dict[UUID | None, list[RouteFacts]] = {}
        for route in ordered:
            self._children.setdefault(route.parent, []).append(route)
        self._root = ResolvedRoute(
            id=None,
            channels=tuple(unrouted),
            group_by=None,
            group_wait_seconds=ROOT_GROUP_WAIT_SECONDS,
            group_interval_seconds=ROOT_GROUP_INTERVAL_SECONDS,
            repeat_interval_seconds=ROOT_REPEAT_INTERVAL_SECONDS,
        )
        self._resolved: dict[UUID, ResolvedRoute] = {}

    def find(self, labels: Labels, at: datetime) -> list[ResolvedRoute]:
        """Where an alert with these labels goes at `at`: the root first if it has channels, then in reading order.

        Each channel is in one of them only, the first that reaches it: one cause is one message. Empty, or without a
        channel in any of them, when nobody hears of it.
        """
        found = [self._root] if self._root.channels else []
        heard: set[UUID] = set(self._root.channels)
        for step in self._ask(None, 1, labels, at):
            if step.route is not None and step.taken:
                route = self.get(step.route.id)
                found.append(replace(route, channels=tuple(one for one in route.channels if one not in heard)))
                heard.update(route.channels)
        return found

    def explain(self, labels: Labels, at: datetime) -> list[Step]:
        """Every route that was asked, and those passed over because an earlier one took it, in reading order."""
        root = Step(None, 0, matched=True, why=StepReason.ROOT, taken=bool(self._root.channels))
        return [root, *self._ask(None, 1, labels, at)]

    def get(self, route_id: UUID | None) -> ResolvedRoute:
        """One route with all it inherits, enabled or not; None is the implicit root. Raises KeyError."""
        if route_id is None:
            return self._root
        if route_id not in self._resolved:
            self._resolved[route_id] = self._resolve(self._routes[route_id])
        return self._resolved[route_id]

    def _ask(self, parent: UUID | None, depth: int, labels: Labels, at: datetime) -> list[Step]:
        steps: list[Step] = []
        is_taken = False
        for route in self._children.get(parent, ()) if depth <= MAX_DEPTH else ():
            if is_taken:
                steps.append(Step(route, depth, matched=False, why=StepReason.NOT_ASKED, taken=False))
                continue
            why, matcher = _judge(route, labels, at)
            if why is not StepReason.MATCHES:
                steps.append(Step(route, depth, matched=False, why=why, taken=False, matcher=matcher))
                continue
            inside = self._ask(route.id, depth + 1, labels, at)
            is_end = not any(step.taken for step in inside)
            steps += [Step(route, depth, matched=True, why=why, taken=is_end), *inside]
            is_taken = not route.continue_matching
        return steps

    def _resolve(self, route: RouteFacts) -> ResolvedRoute:
        line = list(self._line(route))
        root = self._root
        return ResolvedRoute(
            id=route.id,
            channels=next((one.channels for one in line if one.channels), ()),
            group_by=_first([one.group_by for one in line], root.group_by),
            group_wait_seconds=_first([one.group_wait_seconds for one in line], root.group_wait_seconds),
            group_interval_seconds=_first([one.group_interval_seconds for one in line], root.group_interval_seconds),
            repeat_interval_seconds=_first([one.repeat_interval_seconds for one in line], root.repeat_interval_seconds),
        )

    def _line(self, route: RouteFacts | None) -> Iterator[RouteFacts]:
        """A route, the one it is inside of, and so on; it ends even if stored parents should ever form a ring."""
        for _level in range(MAX_DEPTH):
            if route is None:
                return
            yield route
            route = self._routes.get(route.parent) if route.parent else None


def _judge(route: RouteFacts, labels: Labels, at: datetime) -> tuple[StepReason, Matcher | None]:
    if not route.enabled:
        return StepReason.DISABLED, None
    if not route.is_readable:
        return StepReason.UNREADABLE, None
    failing = next((matcher for matcher in route.matchers if not matcher.holds(labels)), None)
    if failing is not None:
        return StepReason.MATCHER, failing
    if route.active_times and not is_inside(route.active_times, route.time_zone, at):
        return StepReason.NOT_NOW, None
    return StepReason.MATCHES, None


def _first(values: Sequence[Value | None], otherwise: Value) -> Value:
    return next((value for value in values if value is not None), otherwise)
