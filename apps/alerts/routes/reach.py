"""Whose alerts end at a route, for all targets at once: the rules of the tree as operations on sets. Pure.

Asking the tree for each target costs targets times routes; here a condition is looked up once for all targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from apps.alerts.matching import Label, Labels, Matcher, texts_of
from apps.alerts.routes.tree import RouteFacts
from apps.alerts.times import is_inside

# What an alert adds to what is known of its target.
ALERT_LABELS = frozenset(
    label.value for label in (Label.SEVERITY, Label.CAUSE, Label.REASON, Label.ERROR_CLASS, Label.FAULT, Label.RULE)
)


class Reach:
    """`targets` are the labels of each, which are named by their places in the list from here on."""

    def __init__(self, routes: Iterable[RouteFacts], targets: Sequence[Labels]) -> None:
        ordered = sorted(routes, key=lambda route: (route.position, route.id))
        self._routes = {route.id: route for route in ordered}
        self._siblings: dict[UUID | None, list[RouteFacts]] = {}
        for route in ordered:
            self._siblings.setdefault(route.parent, []).append(route)
        self._targets = targets
        self._everybody = frozenset(range(len(targets)))
        self._by_text: dict[tuple[str, bool], dict[str, set[int]]] = {}
        self._holding: dict[Matcher, frozenset[int]] = {}

    def ends_at(self, route_id: UUID, of_alert: Labels, at: datetime) -> set[int]:
        """Targets whose alerts with these labels go to the route itself at `at`, not past it nor further inside."""
        route = self._routes[route_id]
        found: set[int] = set(self._everybody)
        for member in self._line(route):
            found &= self._taken(member, of_alert, at)
            for sibling in self._siblings[member.parent]:
                if sibling is member or not found:
                    break
                if not sibling.continue_matching:
                    found -= self._taken(sibling, of_alert, at)
        for child in self._siblings.get(route.id, ()):
            found -= self._taken(child, of_alert, at)
        return found

    def _line(self, route: RouteFacts) -> list[RouteFacts]:
        """From the top to the route."""
        line = [route]
        while line[-1].parent is not None and line[-1].parent in self._routes:
            line.append(self._routes[line[-1].parent])
        return line[::-1]

    def _taken(self, route: RouteFacts, of_alert: Labels, at: datetime) -> frozenset[int]:
        """Targets whose alerts the route itself matches, wherever it stands."""
        if (
            not route.enabled
            or not route.is_readable
            or (route.active_times and not is_inside(route.active_times, route.time_zone, at))
        ):
            return frozenset()
        found = self._everybody
        for matcher in route.matchers:
            if matcher.label not in ALERT_LABELS:
                found &= self._held_by(matcher)
            elif not matcher.holds(of_alert):
                return frozenset()
        return found

    def _held_by(self, matcher: Matcher) -> frozenset[int]:
        """Targets for which a matcher on a label of theirs holds."""
        if matcher not in self._holding:
            found = self._fitting(matcher)
            self._holding[matcher] = self._everybody - found if matcher.operator.startswith("!") else found
        return self._holding[matcher]

    def _fitting(self, matcher: Matcher) -> frozenset[int]:
        """Targets of which some text fits, whether the matcher is for or against it."""
        if matcher.operator in {"=", "!="}:
            return frozenset(self._texts(matcher.label, is_folded=True).get(matcher.value.casefold(), ()))
        pattern = Matcher(matcher.label, "=~", matcher.value)
        texts = self._texts(matcher.label, is_folded=False)
        return frozenset().union(*(places for text, places in texts.items() if pattern.holds({matcher.label: text})))

    def _texts(self, label: str, *, is_folded: bool) -> dict[str, set[int]]:
        """Who has which text of a label, as it is or without regard to case."""
        if (label, is_folded) not in self._by_text:
            found: dict[str, set[int]] = {}
            for place, labels in enumerate(self._targets):
                for text in texts_of(labels, label):
                    found.setdefault(text.casefold() if is_folded else text, set()).add(place)
            self._by_text[label, is_folded] = found
        return self._by_text[label, is_folded]
