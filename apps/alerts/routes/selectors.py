"""Reading the tree of routes, each with a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Prefetch, Q, QuerySet, Value

from apps.accounts.models import User
from apps.alerts import matching, times
from apps.alerts.models import Channel, Route
from apps.alerts.routes.tree import RouteFacts, Tree
from apps.alerts.unreadable import Unreadable


@dataclass(frozen=True)
class Standing:
    """The tree as it stands: routes in order, and the channels that are present, with the routes that name them."""

    routes: dict[UUID, Route]
    channels: dict[UUID, Channel]
    channel_ids: dict[UUID, tuple[UUID, ...]]

    def in_force(self, route: Route) -> bool:
        """Whether it and everything it is inside of is enabled, and can be read."""
        return all(member.enabled and member.pk in self._readable for member in self.line(route))

    @cached_property
    def _readable(self) -> frozenset[UUID]:
        return frozenset(route.pk for route in self.routes.values() if is_readable(route))

    def line(self, route: Route) -> list[Route]:
        """The route, the one it is inside of, and so on to the top."""
        found = [route]
        while found[-1].parent_id is not None and found[-1].parent_id in self.routes:
            found.append(self.routes[found[-1].parent_id])
        return found

    def unrouted(self) -> list[Channel]:
        """Channels that are switched on and that no route in force names: they hear of everything."""
        named = {
            channel
            for identifier, route in self.routes.items()
            if self.in_force(route)
            for channel in self.channel_ids.get(identifier, ())
        }
        return [channel for channel in self.channels.values() if channel.enabled and channel.pk not in named]

    def facts(self) -> list[RouteFacts]:
        return [_facts(route, self.channel_ids.get(route.pk, ())) for route in self.routes.values()]

    def tree(self) -> Tree:
        return Tree(self.facts(), [channel.pk for channel in self.unrouted()])


def load_standing() -> Standing:
    """Two queries.

    A channel that is switched off keeps its place: a route that names only such a one is not a route without channels,
    which would pass its alerts on to those of the route it is inside of.
    """
    routes = {route.pk: route for route in Route.objects.order_by("position", "pk")}
    channels = Channel.objects.present().annotate(
        route_ids=ArrayAgg("routes", filter=Q(routes__isnull=False), default=Value([]))
    )
    found = {channel.pk: channel for channel in channels.order_by("name")}
    members: dict[UUID, tuple[UUID, ...]] = {}
    for channel in found.values():
        named_by: list[UUID] = getattr(channel, "route_ids", [])
        for route in named_by:
            members[route] = (*members.get(route, ()), channel.pk)
    return Standing(routes, found, members)


def load_tree() -> Tree:
    """The tree as it stands, and the channels that no enabled route names. Two queries."""
    return load_standing().tree()


def is_readable(route: Route) -> bool:
    """Whether what is stored of it says what it takes. One that does not takes nothing, and what it names is told of
    everything, as whatever no route names."""
    return _facts(route, ()).is_readable


def _facts(route: Route, channels: tuple[UUID, ...]) -> RouteFacts:
    try:
        matchers, active_times = matching.load(route.matchers), times.load(route.active_times)
        group_by = None if route.group_by is None else _labels(route.group_by)
        is_readable = True
    except Unreadable:
        matchers, active_times, group_by, is_readable = (), (), None, False
    return RouteFacts(
        id=route.pk,
        name=route.name,
        parent=route.parent_id,
        position=route.position,
        matchers=matchers,
        channels=channels,
        group_by=group_by,
        group_wait_seconds=route.group_wait_seconds,
        group_interval_seconds=route.group_interval_seconds,
        repeat_interval_seconds=route.repeat_interval_seconds,
        continue_matching=route.continue_matching,
        active_times=active_times,
        time_zone=route.time_zone,
        enabled=route.enabled,
        is_readable=is_readable,
    )


def _labels(stored: object) -> tuple[str, ...]:
    if not isinstance(stored, list) or not all(isinstance(label, str) for label in stored):
        raise Unreadable("no labels")
    return tuple(stored)


def list_routes(user: User | AnonymousUser) -> QuerySet[Route]:
    """Routes in order of position for whoever has any grant, with parent, and with the channels `user` may see."""
    seen = Channel.objects.present().visible_to(user).order_by("name")
    return (
        Route.objects.visible_to(user)
        .select_related("parent")
        .prefetch_related(Prefetch("channels", queryset=seen))
        .order_by("position", "pk")
    )
