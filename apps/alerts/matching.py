"""Matchers on labels: what rules, routes and silences select by. Pure.

A label has one text or several (`tag`, `rule`); a matcher holds when any of them fits, and a negative one when none
does. Patterns are RE2, which is linear in time, and match the whole text. A label that is absent is the empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2
from django.utils.translation import gettext_lazy as _

from apps.alerts.unreadable import Unreadable, entries_of

MAX_MATCHERS = 20
MAX_VALUE_CHARACTERS = 200

Labels = Mapping[str, "str | Sequence[str]"]


class Label(StrEnum):
    """What an alert is known by. The words stand in stored matchers: never rename one."""

    ENVIRONMENT = "environment"
    SEVERITY = "severity"
    KIND = "kind"
    TARGET = "target"
    PROVIDER = "provider"
    TAG = "tag"
    CAUSE = "cause"
    REASON = "reason"
    ERROR_CLASS = "error_class"
    FAULT = "fault"
    RULE = "rule"


LABEL_CHOICES: list[tuple[str, Any]] = [
    (Label.ENVIRONMENT.value, _("environment")),
    (Label.SEVERITY.value, _("severity")),
    (Label.KIND.value, _("kind of target")),
    (Label.TARGET.value, _("target")),
    (Label.PROVIDER.value, _("provider")),
    (Label.TAG.value, _("tag")),
    (Label.CAUSE.value, _("cause")),
    (Label.REASON.value, _("reason")),
    (Label.ERROR_CLASS.value, _("class of error")),
    (Label.FAULT.value, _("whose fault")),
    (Label.RULE.value, _("rule")),
]
FIELDS = ("label", "operator", "value")
_LABELS = frozenset(label.value for label in Label)
OPERATORS = ("=", "!=", "=~", "!~")
OPERATOR_CHOICES: list[tuple[str, Any]] = [
    ("=", _("is")),
    ("!=", _("is not")),
    ("=~", _("matches")),
    ("!~", _("does not match")),
]


@dataclass(frozen=True)
class Matcher:
    """One condition on one label."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Labels) -> bool:
        fits = any(self._fits(text) for text in texts_of(labels, self.label))
        return fits != self.operator.startswith("!")

    def _fits(self, text: str) -> bool:
        if self.operator.endswith("~"):
            return _pattern(self.value).fullmatch(text) is not None
        return text.casefold() == self.value.casefold()

    def as_text(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


def texts_of(labels: Labels, label: str) -> Sequence[str]:
    """The texts of one label: never empty, an absent label is the empty text."""
    value = labels.get(label, "")
    return [value] if isinstance(value, str) else (list(value) or [""])


@lru_cache(maxsize=10_000)
def _pattern(text: str) -> Any:
    return re2.compile(text, _options())


def _options() -> Any:
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    options.case_sensitive = False
    return options


def all_hold(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether every matcher holds; no matcher at all matches everything."""
    return all(matcher.holds(labels) for matcher in matchers)


def load(stored: object) -> tuple[Matcher, ...]:
    """Matchers as they are stored, which `parse` has accepted before. Raises Unreadable for anything else."""
    return tuple(_loaded(entry) for entry in entries_of(stored))


def _loaded(entry: Mapping[str, Any]) -> Matcher:
    label, operator, value = (entry.get(name) for name in FIELDS)
    if label not in _LABELS or operator not in OPERATORS or not isinstance(value, str):
        raise Unreadable("no matcher")
    if operator.endswith("~"):
        try:
            _pattern(value)
        except re2.error as error:
            raise Unreadable("no pattern") from error
    return Matcher(str(label), str(operator), value)


def parse(given: object) -> tuple[list[dict[str, str]], dict[str, list[Any]]]:
    """Matchers from outside: `(stored form, errors by path)`, one of the two empty. Paths are "", "0.value", ..."""
    if not isinstance(given, list):
        return [], {"": [_('Send a list of matchers, such as [{"label": "tag", "operator": "=", "value": "shop"}].')]}
    if len(given) > MAX_MATCHERS:
        return [], {"": [_("At most 20 matchers.")]}
    errors: dict[str, list[Any]] = {}
    matchers = []
    for number, entry in enumerate(given):
        problems = _problems(entry)
        errors.update({f"{number}.{path}" if path else str(number): [text] for path, text in problems.items()})
        if not problems:
            matchers.append({name: str(entry[name]) for name in ("label", "operator", "value")})
    return (matchers, {}) if not errors else ([], errors)


def _problems(entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict):
        return {"": _('Send an object with "label", "operator" and "value".')}
    problems: dict[str, Any] = {}
    if unknown := sorted(set(map(str, entry)) - {"label", "operator", "value"}):
        problems[unknown[0][:40]] = _("There is no such field; a matcher has label, operator and value.")
    if entry.get("label") not in [label.value for label in Label]:
        problems["label"] = _("Choose one of %(labels)s.") % {"labels": ", ".join(Label)}
    if entry.get("operator") not in OPERATORS:
        problems["operator"] = _("Choose one of =, !=, =~, !~.")
    value = entry.get("value")
    if not isinstance(value, str) or len(value) > MAX_VALUE_CHARACTERS or not (value.isprintable()):
        problems["value"] = _("Enter a text of at most 200 printable characters.")
    elif not value.strip():
        # A row somebody forgot to fill in would match whatever has no such label, which is nearly everything.
        problems["value"] = _(
            "Enter a value. For “has any at all” use the pattern .+ with =~ (matches) or !~ (does not)."
        )
    elif str(entry.get("operator")).endswith("~"):
        try:
            _pattern(value)
        except re2.error as error:
            problems["value"] = _("This pattern cannot be read: %(problem)s.") % {"problem": _sentence(error)}
    return problems


def _sentence(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return (text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text))[:200]
