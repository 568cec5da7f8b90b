"""How a channel speaks to people: its language, time zone, quiet hours and the user's own words, as they come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.alerts import times, wording
from apps.alerts.models.channel import LANGUAGES

Errors = dict[str, list[Any]]


class Speaking(TypedDict, total=False):
    """How a channel speaks, as a caller gives it: nothing in it has been looked at."""

    language: object
    time_zone: object
    wording: object
    quiet_hours: object


def clean_speaking(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `fields` that are about speaking, in stored form; the others are left out.

    Raises ValidationError by field: "language", "time_zone", "wording.title", "quiet_hours.0.days", …
    """
    cleaned: dict[str, Any] = {}
    errors: Errors = {}
    for name, clean in _FIELDS.items():
        if name in fields:
            cleaned[name], found = clean(fields[name])
            errors.update({f"{name}.{path}" if path else name: sentences for path, sentences in found.items()})
    if errors:
        raise ValidationError(errors)
    return cleaned


def _language(value: object) -> tuple[str, Errors]:
    known = [code for code, _name in LANGUAGES]
    if value in known:
        return str(value), {}
    return "", {"": [_("Choose one of: %(choices)s.") % {"choices": ", ".join(known)}]}


def _time_zone(value: object) -> tuple[str, Errors]:
    problem = times.zone_problem(value)
    return (str(value), {}) if problem is None else ("", {"": [problem]})


def _quiet_hours(value: object) -> tuple[list[dict[str, Any]], Errors]:
    return times.parse(value)


def _wording(value: object) -> tuple[dict[str, str], Errors]:
    """An empty part means the portal's own words, and is not stored."""
    if not isinstance(value, Mapping):
        return {}, {"": [_("Send an object with the parts “title” and “body”.")]}
    errors: Errors = {}
    for part, template in value.items():
        if part not in wording.PARTS:
            errors[str(part)[:40]] = [_("There is no such part; a message has a title and a body.")]
        elif sentences := wording_errors(str(part), template):
            errors[str(part)] = list(sentences)
    if errors:
        return {}, errors
    kept = {part: value[part].replace("\r\n", "\n").strip() for part in wording.PARTS if part in value}
    return {part: template for part, template in kept.items() if template}, {}


def wording_errors(part: str, template: object) -> list[str]:
    """What keeps a template from being used, with the line it is on."""
    if part == "title" and isinstance(template, str) and "\n" in template.strip():
        return [_("A title is one line.")]
    return [sentence_with_line(problem) for problem in wording.problems_of(template) if problem.is_error]


def sentence_with_line(problem: wording.Problem) -> str:
    values = {"number": problem.line, "sentence": problem.sentence}
    return _("Line %(number)s: %(sentence)s") % values


_FIELDS: dict[str, Callable[[object], tuple[Any, Errors]]] = {
    "language": _language,
    "time_zone": _time_zone,
    "wording": _wording,
    "quiet_hours": _quiet_hours,
}
