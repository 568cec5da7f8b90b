"""What a route may hold and where it may stand. Every error at once, by field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.alerts import matching, times
from apps.alerts.matching import Label
from apps.alerts.models import Route

MAX_ROUTES = 500
MAX_DEPTH = 8
LONGEST_SECONDS = 7 * 86_400
SHORTEST_REPEAT_SECONDS = 60
_SECONDS = {
    "group_wait_seconds": 0,
    "group_interval_seconds": 1,
    "repeat_interval_seconds": SHORTEST_REPEAT_SECONDS,
}

# The value as it is stored, or errors by path below the field.
Errors = dict[str, list[Any]]
Parsed = tuple[Any, Errors]


def clean_fields(fields: dict[str, Any], *, is_new: bool = False) -> dict[str, Any]:
    """Fields of a route from outside, as they are stored. Raises ValidationError by path (`matchers.0.value`)."""
    given = {"name": "", **fields} if is_new else fields
    clean: dict[str, Any] = {}
    errors: Errors = {}
    for name, value in given.items():
        clean[name], problems = _PARSERS[name](value) if name in _PARSERS else (value, {})
        errors.update({f"{name}.{path}" if path else name: texts for path, texts in problems.items()})
    for name, shortest in _SECONDS.items():
        if problem := _seconds_problem(given.get(name), shortest):
            errors[name] = [problem]
    if errors:
        raise ValidationError(errors)
    return clean


def parse_group_by(given: object) -> tuple[list[str] | None, Errors]:
    """Label names to group by, each once; None: as the parent does."""
    if given is None:
        return None, {}
    if not isinstance(given, list):
        return None, {"": [_("Send a list of labels, or null for what the route above has.")]}
    known = [label.value for label in Label]
    message = _("There is no such label; choose from %(labels)s.") % {"labels": ", ".join(known)}
    errors: Errors = {str(number): [message] for number, label in enumerate(given) if label not in known}
    return (None, errors) if errors else (list(dict.fromkeys(given)), {})


def _parse_name(given: object) -> Parsed:
    clean = given.strip() if isinstance(given, str) else ""
    if not clean or len(clean) > 200 or not clean.isprintable():
        return "", {"": [_("Give the route a name of 1 to 200 printable characters.")]}
    return clean, {}


def _parse_zone(given: object) -> Parsed:
    problem = times.zone_problem(given)
    return given, {"": [problem]} if problem else {}


_PARSERS: dict[str, Callable[[Any], Parsed]] = {
    "name": _parse_name,
    "matchers": matching.parse,
    "group_by": parse_group_by,
    "active_times": times.parse,
    "time_zone": _parse_zone,
}


def _seconds_problem(value: Any, shortest: int) -> str:
    if value is None or (type(value) is int and shortest <= value <= LONGEST_SECONDS):
        return ""
    limits = {"low": shortest, "high": LONGEST_SECONDS}
    return _("Give a whole number of seconds from %(low)s to %(high)s (a week).") % limits


# --- The place in the tree --------------------------------------------------------------------------------


def of_tree(rows: Sequence[Route], route: Route) -> Route:
    """The row of a route as it stands. Raises Route.DoesNotExist when it was removed meanwhile."""
    for row in rows:
        if row.pk == route.pk:
            return row
    raise Route.DoesNotExist


def check_number(rows: Sequence[Route]) -> None:
    if len(rows) >= MAX_ROUTES:
        raise ValidationError({"name": [_("There are 500 routes, which is the most; remove one first.")]})


def check_place(rows: Sequence[Route], route: Route, parent: Route | None) -> None:
    """Neither in a circle nor too deep, with everything inside it. Raises ValidationError on `parent`."""
    if parent is not None and all(row.pk != parent.pk for row in rows):
        raise ValidationError({"parent": [_("There is no such route any more.")]})
    above = _ancestors(rows, parent)
    if route.pk in above:
        raise ValidationError({"parent": [_("A route cannot be inside itself or inside one that is inside it.")]})
    if len(above) + _height(rows, route.pk) > MAX_DEPTH:
        raise ValidationError({"parent": [_("Routes can be nested 8 levels deep; this would be deeper.")]})


def family_of(rows: Sequence[Route], route: Route) -> list[Route]:
    """The route and everything inside it, from the top."""
    inside = {route.pk}
    family = [row for row in rows if row.pk == route.pk]
    while found := [row for row in rows if row.parent_id in inside and row.pk not in inside]:
        inside.update(row.pk for row in found)
        family.extend(found)
    return family


def _ancestors(rows: Sequence[Route], route: Route | None) -> list[UUID]:
    """The route and everything it is inside of, from below."""
    parents = {row.pk: row.parent_id for row in rows}
    found: list[UUID] = []
    identifier = route.pk if route else None
    while identifier is not None and identifier not in found:
        found.append(identifier)
        identifier = parents.get(identifier)
    return found


def _height(rows: Sequence[Route], top: UUID) -> int:
    """How many levels a route has, itself included."""
    levels, level = 1, {top}
    while level := {row.pk for row in rows if row.parent_id in level}:
        levels += 1
    return levels
