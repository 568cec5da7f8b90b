"""What was saved and will not do what somebody may expect of it: routes that tell nobody, or are never asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts import matching, times
from apps.alerts.labels import watched_targets
from apps.alerts.matching import Label, Matcher
from apps.alerts.models import Channel, Route, Severity
from apps.alerts.routes.reach import Reach
from apps.alerts.routes.selectors import Standing, load_standing
from apps.alerts.routes.tree import RouteFacts
from apps.core import clock
from apps.probes.ai.classes import ErrorClass, Fault

# What an alert can be about, in the order they are tried; rules may be named in matchers, and are taken from there.
CAUSES = (
    "status",
    "latency",
    "first_token",
    "tokens_per_second",
    "ai_errors",
    "uptime",
    "certificate",
    "cache_hit_rate",
    "lateness",
    "catalog_drift",
    "budget",
    "budget_total",
    "channel",
)
_NAMES_SHOWN = 5
_KNOWN: tuple[tuple[Label, tuple[str, ...]], ...] = (
    (Label.CAUSE, CAUSES),
    (Label.REASON, ("",)),
    (Label.ERROR_CLASS, ("", *ErrorClass)),
    (Label.FAULT, ("", *Fault)),
    (Label.RULE, ("",)),
)


def warnings_of(route: Route, standing: Standing | None = None) -> list[str]:
    """What whoever saved the route should know. At most three queries."""
    return _Judge(standing or load_standing()).warnings(route.pk)


def list_warnings() -> dict[UUID, list[str]]:
    """The warnings of every route that has some. At most three queries for all of them."""
    standing = load_standing()
    judge = _Judge(standing)
    found = {identifier: judge.warnings(identifier) for identifier in standing.routes}
    return {identifier: sentences for identifier, sentences in found.items() if sentences}


def takes_everything(route: Route) -> list[str]:
    """That a route has no condition, said when it is saved: it may be meant, and may be one that was forgotten."""
    if route.matchers or not route.enabled:
        return []
    if route.parent is None:
        return [_("This route has no condition: it takes every alert that the routes before it leave.")]
    sentence = _("This route has no condition: it takes every alert that “%(name)s” takes and leaves to it.")
    return [sentence % {"name": route.parent.name}]


def channels_set_free(before: Iterable[Channel], standing: Standing) -> list[str]:
    """Channels that no route names now, and that were not among the unrouted before: they hear of everything."""
    known = {channel.pk for channel in before}
    sentence = _("The channel “%(name)s” is in no route any more, so it hears of everything now.")
    return [sentence % {"name": channel.name} for channel in standing.unrouted() if channel.pk not in known]


class _Judge:
    """One look at the tree; what is watched is read when it is first asked for."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._tree = standing.tree()
        self._facts = {facts.id: facts for facts in standing.facts()}
        self._conditions = {identifier: frozenset(facts.matchers) for identifier, facts in self._facts.items()}
        self._siblings: dict[UUID | None, list[RouteFacts]] = {}
        for facts in self._facts.values():
            self._siblings.setdefault(facts.parent, []).append(facts)

    @cached_property
    def _targets(self) -> tuple[list[UUID], Reach]:
        """The environment of each target that is watched, and whose alerts end where."""
        rows = list(watched_targets().values())
        return [environment for environment, _labels in rows], Reach(self._facts.values(), [row[1] for row in rows])

    def warnings(self, identifier: UUID) -> list[str]:
        standing = self._standing
        if standing.routes[identifier].enabled and not self._facts[identifier].is_readable:
            sentence = _("This route cannot be read, so it is not asked, and its channels hear of everything: save it.")
            return [sentence]
        if not standing.in_force(standing.routes[identifier]):
            return []
        route = self._facts[identifier]
        siblings = [other for other in self._siblings[route.parent] if other.enabled and other.is_readable]
        place = siblings.index(route)
        hiding = next((other for other in siblings[:place] if self._takes_all_of(other, route)), None)
        if hiding is not None:
            sentence = _("This route is never reached: “%(name)s” before it takes everything it would match.")
            return [sentence % {"name": hiding.name}]
        hidden = [other for other in siblings[place + 1 :] if self._takes_all_of(route, other)]
        return [*([_hides(hidden)] if hidden else []), *self._reaches_nobody(route)]

    def _takes_all_of(self, first: RouteFacts, second: RouteFacts) -> bool:
        """Whether whatever `second` would match stays with `first`: always, and under none but its own conditions."""
        if first.continue_matching or first.active_times:
            return False
        return self._conditions[first.id] <= self._conditions[second.id]

    def _reaches_nobody(self, route: RouteFacts) -> list[str]:
        channels = [self._standing.channels[identifier] for identifier in self._tree.get(route.id).channels]
        hearing = {channel.environment_id for channel in channels if channel.enabled}
        if None in hearing:
            return []
        number = self._count_untold(route, hearing)
        if not number and (hearing or route.id in self._siblings):
            return []
        return [_tells_nobody(number, has_channels=bool(channels), hears_elsewhere=bool(hearing))]

    def _count_untold(self, route: RouteFacts, hearing: set[UUID | None]) -> int:
        """How many targets have alerts that end at the route, in environments none of its channels hears of."""
        line = self._standing.line(self._standing.routes[route.id])
        of_alert = _labels_of_alert([matcher for member in line for matcher in self._facts[member.pk].matchers])
        at = _moment([self._facts[member.pk] for member in line])
        environments, reach = self._targets
        found: set[int] = set()
        for severity in Severity.values:
            found |= reach.ends_at(route.id, {**of_alert, Label.SEVERITY.value: severity}, at)
        return sum(environments[place] not in hearing for place in found)


def _hides(routes: list[RouteFacts]) -> str:
    names = ", ".join(f"“{route.name}”" for route in routes[:_NAMES_SHOWN])
    sentence = ngettext(
        "It takes everything that a route after it would match, which is never reached: %(names)s.",
        "It takes everything that %(number)s routes after it would match, which are never reached: %(names)s.",
        len(routes),
    )
    more = " …" if len(routes) > _NAMES_SHOWN else ""
    return sentence % {"names": names + more, "number": len(routes)}


def _tells_nobody(number: int, *, has_channels: bool, hears_elsewhere: bool) -> str:
    if hears_elsewhere:
        sentence = ngettext(
            "The channels of this route hear of other environments only: it would tell nobody of %(number)s target.",
            "The channels of this route hear of other environments only: it would tell nobody of %(number)s targets.",
            number,
        )
    elif has_channels:
        sentence = ngettext(
            "All channels of this route are switched off: it would tell nobody of %(number)s target.",
            "All channels of this route are switched off: it would tell nobody of %(number)s targets.",
            number,
        )
    else:
        sentence = ngettext(
            "This route reaches no channel: it would tell nobody of %(number)s target.",
            "This route reaches no channel: it would tell nobody of %(number)s targets.",
            number,
        )
    return sentence % {"number": number}


def _labels_of_alert(matchers: list[Matcher]) -> dict[str, str]:
    """A cause, reason, fault and rule that the matchers let through, where one can be named."""
    found: dict[str, str] = {}
    for label, known in _KNOWN:
        own = [matcher for matcher in matchers if matcher.label == label]
        named = [matcher.value for matcher in own if matcher.operator == "="]
        fitting = (text for text in (*known, *named) if matching.all_hold(own, {label.value: text}))
        found[label.value] = next(fitting, known[0])
    return found


def _moment(line: list[RouteFacts]) -> datetime:
    """A moment at which the route is asked: now, or when its times next begin."""
    at = clock.now()
    for member in line:
        if member.active_times and not times.is_inside(member.active_times, member.time_zone, at):
            at = times.next_change(member.active_times, member.time_zone, at)
    return at
