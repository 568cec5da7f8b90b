"""The tree of routes as rows of a list: what each takes, where it leads, and what it has from the route above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts.models import Channel, Route
from apps.alerts.pages.sentences import label_words, matcher_sentences
from apps.alerts.routes.selectors import is_readable, list_routes, load_tree
from apps.alerts.routes.tree import ResolvedRoute
from apps.alerts.routes.warnings import list_warnings
from apps.core.durations import in_words

# Deeper rows are drawn no further in.
DEEPEST_INDENT = 6


@dataclass(frozen=True)
class Setting:
    """One thing a route says, or has from the route above."""

    label: str
    value: str
    inherited: bool


@dataclass(frozen=True)
class RouteRow:
    """A route in its place in the tree. `route` None: the implicit root."""

    route: Route | None
    depth: int
    matchers: list[str]
    channels: list[str]
    inherits_channels: bool
    settings: list[Setting]
    warnings: list[str] = field(default_factory=list)
    is_readable: bool = True
    is_first: bool = False
    is_last: bool = False

    @property
    def indent(self) -> int:
        return min(self.depth, DEEPEST_INDENT)


def route_rows(user: User) -> list[RouteRow]:
    """The implicit root, then every route in reading order. A fixed number of queries."""
    routes = list(list_routes(user))
    tree, warnings = load_tree(), list_warnings()
    names = dict(Channel.objects.visible_to(user).present().values_list("pk", "name"))
    children: dict[UUID | None, list[Route]] = {}
    for route in routes:
        children.setdefault(route.parent_id, []).append(route)
    root = tree.get(None)
    rows = [RouteRow(None, 0, [], _names(root.channels, names), False, _settings(None, root))]
    waiting = [(route, 1) for route in reversed(children.get(None, []))]
    while waiting:
        route, depth = waiting.pop()
        siblings = children[route.parent_id]
        own = bool(route.channels.all())
        resolved = tree.get(route.pk)
        rows.append(
            RouteRow(
                route=route,
                depth=depth,
                matchers=matcher_sentences(route.matchers),
                channels=_names(resolved.channels, names),
                inherits_channels=not own,
                settings=_settings(route, resolved),
                warnings=warnings.get(route.pk, []),
                is_readable=is_readable(route),
                is_first=siblings[0].pk == route.pk,
                is_last=siblings[-1].pk == route.pk,
            )
        )
        waiting += [(child, depth + 1) for child in reversed(children.get(route.pk, []))]
    return rows


def _names(channels: Iterable[UUID], names: dict[UUID, str]) -> list[str]:
    """Of the channels the reader may see; of others that there are some."""
    known = sorted(names[channel] for channel in channels if channel in names)
    hidden = any(channel not in names for channel in channels)
    return [*known, *([_("others")] if hidden else [])]


def _settings(route: Route | None, resolved: ResolvedRoute) -> list[Setting]:
    seconds = {
        "group_wait_seconds": (_("first message after"), resolved.group_wait_seconds),
        "group_interval_seconds": (_("next at the earliest after"), resolved.group_interval_seconds),
        "repeat_interval_seconds": (_("reminder after"), resolved.repeat_interval_seconds),
    }
    grouping = Setting(_("one message"), grouping_words(resolved.group_by), route is None or route.group_by is None)
    return [
        grouping,
        *(
            Setting(label, time_words(value), route is None or getattr(route, name) is None)
            for name, (label, value) in seconds.items()
        ),
    ]


def grouping_words(group_by: tuple[str, ...] | None) -> str:
    if group_by is None:
        return _("for each alert")
    if not group_by:
        return _("for all alerts together")
    return _("for each %(labels)s") % {"labels": ", ".join(label_words(group_by))}


def time_words(seconds: float) -> str:
    return in_words(seconds) if seconds else _("at once")


def siblings_of(routes: Iterable[Route], route: Route) -> list[Any]:
    """The routes beside one, itself included, in order."""
    return [one for one in routes if one.parent_id == route.parent_id]
