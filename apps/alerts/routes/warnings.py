"""What was saved and will not do what somebody may expect of it: routes that tell nobody, or are never asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts import matching, times
from apps.alerts.labels import watched_targets
from apps.alerts.matching import Label, Labels, Matcher
from apps.alerts.models import Channel, Route, Severity
from apps.alerts.routes.selectors import Standing, load_standing
from apps.alerts.routes.tree import Tree
from apps.core import clock

# What an alert can be about, in the order they are tried; rules may be named in matchers, and are taken from there.
CAUSES = ("status", "latency", "uptime", "certificate", "cache_hit_rate", "lateness", "catalog_drift", "channel")
_SEVERITIES = [severity.value for severity in Severity]
_NAMES_SHOWN = 5


def warnings_of(route: Route, standing: Standing | None = None) -> list[str]:
    """What whoever saved the route should know. At most three queries."""
    standing = standing or load_standing()
    return _warnings(standing, standing.tree(), standing.routes[route.pk])


def list_warnings() -> dict[UUID, list[str]]:
    """The warnings of every route that has some. At most three queries for all of them."""
    standing = load_standing()
    tree, targets = standing.tree(), _Targets()
    found = {route.pk: _warnings(standing, tree, route, targets) for route in standing.routes.values()}
    return {identifier: sentences for identifier, sentences in found.items() if sentences}


def channels_set_free(before: Iterable[Channel], standing: Standing) -> list[str]:
    """Channels that no route names now, and that were not among the unrouted before: they hear of everything."""
    known = {channel.pk for channel in before}
    sentence = _("The channel “%(name)s” is in no route any more, so it hears of everything now.")
    return [sentence % {"name": channel.name} for channel in standing.unrouted() if channel.pk not in known]


def _warnings(standing: Standing, tree: Tree, route: Route, targets: _Targets | None = None) -> list[str]:
    if not standing.in_force(route):
        return []
    hiding = [other for other in _siblings_before(standing, route) if _takes_all_of(other, route)]
    if hiding:
        sentence = _("This route is never reached: “%(name)s” before it takes everything it would match.")
        return [sentence % {"name": hiding[0].name}]
    hidden = [other for other in _siblings_after(standing, route) if _takes_all_of(route, other)]
    sentences = [_hides(hidden)] if hidden else []
    return [*sentences, *_reaches_nobody(standing, tree, route, targets or _Targets())]


# --- Never reached ----------------------------------------------------------------------------------------


def _siblings_before(standing: Standing, route: Route) -> list[Route]:
    siblings = [other for other in standing.routes.values() if other.parent_id == route.parent_id and other.enabled]
    return [other for other in siblings if (other.position, other.pk) < (route.position, route.pk)]


def _siblings_after(standing: Standing, route: Route) -> list[Route]:
    siblings = [other for other in standing.routes.values() if other.parent_id == route.parent_id and other.enabled]
    return [other for other in siblings if (other.position, other.pk) > (route.position, route.pk)]


def _takes_all_of(first: Route, second: Route) -> bool:
    """Whether whatever `second` would match stays with `first`: at all times, and under none but its own conditions."""
    if first.continue_matching or first.active_times:
        return False
    return set(matching.load(first.matchers)) <= set(matching.load(second.matchers))


def _hides(routes: list[Route]) -> str:
    names = ", ".join(f"“{route.name}”" for route in routes[:_NAMES_SHOWN])
    sentence = ngettext(
        "It takes everything that a route after it would match, which is never reached: %(names)s.",
        "It takes everything that %(number)s routes after it would match, which are never reached: %(names)s.",
        len(routes),
    )
    more = " …" if len(routes) > _NAMES_SHOWN else ""
    return sentence % {"names": names + more, "number": len(routes)}


# --- Telling nobody ---------------------------------------------------------------------------------------


class _Targets:
    """What is watched, read when it is first asked for."""

    def __init__(self) -> None:
        self._rows: dict[UUID, tuple[UUID, Labels]] | None = None

    def rows(self) -> Iterable[tuple[UUID, Labels]]:
        if self._rows is None:
            self._rows = watched_targets()
        return self._rows.values()


def _reaches_nobody(standing: Standing, tree: Tree, route: Route, targets: _Targets) -> list[str]:
    channels = [standing.channels[identifier] for identifier in tree.get(route.pk).channels]
    hearing = {channel.environment_id for channel in channels if channel.enabled}
    if None in hearing:
        return []
    number = _affected(standing, tree, route, targets, hearing)
    if not number and (hearing or any(other.parent_id == route.pk for other in standing.routes.values())):
        return []
    if hearing:
        sentence = ngettext(
            "The channels of this route hear of other environments only: it would tell nobody of %(number)s target.",
            "The channels of this route hear of other environments only: it would tell nobody of %(number)s targets.",
            number,
        )
    elif channels:
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
    return [sentence % {"number": number}]


def _affected(standing: Standing, tree: Tree, route: Route, targets: _Targets, hearing: set[UUID | None]) -> int:
    """How many targets have alerts that end at the route, in environments none of its channels hears of."""
    line = standing.line(route)
    matchers = [matcher for member in line for matcher in matching.load(member.matchers)]
    at, of_alert = _moment(line), _labels_of_alert(matchers)
    by_name = any(entry["label"] == Label.TARGET for member in standing.routes.values() for entry in member.matchers)
    known: dict[str, bool] = {}
    number = 0
    for environment, labels in targets.rows():
        if environment in hearing:
            continue
        # Targets that differ in their names alone go the same way, unless some route looks at names.
        signature = repr(labels if by_name else {**labels, Label.TARGET.value: ""})
        if signature not in known:
            known[signature] = _ends_at(tree, route.pk, matchers, {**labels, **of_alert}, at)
        number += known[signature]
    return number


def _ends_at(tree: Tree, route: UUID, matchers: list[Matcher], labels: Labels, at: datetime) -> bool:
    """Whether an alert of some severity with these labels goes to the route. What cannot match is not looked up."""
    for severity in _SEVERITIES:
        tried = {**labels, Label.SEVERITY.value: severity}
        if matching.all_hold(matchers, tried) and any(found.id == route for found in tree.find(tried, at)):
            return True
    return False


def _labels_of_alert(matchers: list[Matcher]) -> dict[str, str]:
    """A cause, reason and rule that the matchers let through, where one can be named."""
    found: dict[str, str] = {}
    for label, known in ((Label.CAUSE, CAUSES), (Label.REASON, ("",)), (Label.RULE, ("",))):
        own = [matcher for matcher in matchers if matcher.label == label]
        named = [matcher.value for matcher in own if matcher.operator == "="]
        fitting = (text for text in (*known, *named) if matching.all_hold(own, {label.value: text}))
        found[label.value] = next(fitting, known[0])
    return found


def _moment(line: list[Route]) -> datetime:
    """A moment at which the route is asked: now, or when its times next begin."""
    at = clock.now()
    for member in line:
        ranges = times.load(member.active_times)
        if ranges and not times.is_inside(ranges, member.time_zone, at):
            at = times.next_change(ranges, member.time_zone, at)
    return at
