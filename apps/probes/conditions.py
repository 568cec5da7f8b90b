"""Conditions: what a person says a good answer looks like, checked when written and evaluated on what came back.

    {"field": "status", "operator": "==", "value": 200}
    {"field": "json.items[0].state", "operator": "!=", "value": "broken"}

A value that is not there meets no condition, with one exception: `== null` asks for exactly that.
"""

from __future__ import annotations

import operator as operators
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import re2
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import Text, field
from apps.core.outbound.exchange import Exchange
from apps.probes.paths import MISSING, BadPath, reader

MAX_CONDITIONS = 20
MAX_ACTUAL = 200
_MAX_PATTERN = 500
_MAX_REGEX_MEMORY = 8 * 1024 * 1024
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "contains", "not_contains", "matches"]
Value = Annotated[str, msgspec.Meta(max_length=2_000)] | int | float | bool | None

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
# The others are signs, which everybody reads.
OPERATOR_LABELS: dict[str, Text] = {
    "contains": _("contains"),
    "not_contains": _("does not contain"),
    "matches": _("matches"),
}
_ORDERINGS = frozenset({"<", "<=", ">", ">="})
_TEXT_OPERATORS = frozenset({"contains", "not_contains", "matches"})
_NUMERIC_FIELDS = frozenset({"status", "response_time_ms", "certificate_days"})
KNOWN_FIELDS = "status, response_time_ms, certificate_days, body, header.<name>, json.<path>"


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expectation of one value of the answer."""

    field: Annotated[
        str,
        field(
            _("Field"),
            _("One of: status, response_time_ms, certificate_days, body, header.<name>, json.<path>."),
            min_length=1,
            max_length=210,
        ),
    ]
    operator: Annotated[Operator, field(_("Operator"))] = "=="
    value: Annotated[Value, field(_("Value"))] = None

    @property
    def group(self) -> str:
        """The field without the name or path after its dot."""
        return self.field.partition(".")[0]

    @property
    def detail(self) -> str:
        """The header name or the JSON path."""
        return self.field.partition(".")[2]

    @property
    def needs_body(self) -> bool:
        return self.group in ("body", "json")

    def check(self) -> dict[str, list[Text]]:
        """What is wrong with it, by field; called by `kindconfig.decode`."""
        problem = _field_problem(self)
        if problem is not None:
            return {"field": [problem]}
        problem = _operator_problem(self)
        if problem is not None:
            return {"operator": [problem]}
        problem = _value_problem(self)
        return {"value": [problem]} if problem is not None else {}


def _field_problem(condition: Condition) -> Text | None:
    if condition.field in _NUMERIC_FIELDS or condition.field == "body":
        return None
    if condition.group == "header" and _HEADER_NAME.fullmatch(condition.detail):
        return None
    if condition.group == "json" and condition.detail:
        try:
            reader(condition.detail)
        except BadPath as error:
            return error.sentence
        return None
    return _("Unknown field “%(field)s”. Known fields: %(known)s.") % {
        "field": condition.field[:100],
        "known": KNOWN_FIELDS,
    }


def _operator_problem(condition: Condition) -> Text | None:
    if condition.field in _NUMERIC_FIELDS and condition.operator in _TEXT_OPERATORS:
        return _("Compare %(field)s with ==, !=, <, <=, > or >=.") % {"field": condition.field}
    if condition.field == "body" and condition.operator in _ORDERINGS:
        return _("The body is a text: use contains, not_contains, matches, == or !=.")
    return None


def _value_problem(condition: Condition) -> Text | None:
    if condition.operator == "matches":
        return pattern_problem(condition.value)
    if condition.operator in _TEXT_OPERATORS and (condition.value is None or condition.value == ""):
        return _("Enter the text to look for.")
    needs_number = condition.field in _NUMERIC_FIELDS or condition.operator in _ORDERINGS
    if needs_number and _number(condition.value) is None:
        return _("Enter a number: %(field)s is compared as one.") % {"field": condition.field}
    return None


def pattern_problem(value: Value) -> Text | None:
    """Why this is no regular expression that can be used here, as a sentence; None when it is one."""
    if not isinstance(value, str) or not value:
        return _("Enter a regular expression.")
    if len(value) > _MAX_PATTERN:
        return _("A regular expression has at most %(limit)s characters.") % {"limit": _MAX_PATTERN}
    try:
        pattern(value)
    except re2.error as error:
        problem = error.args[0] if error.args else ""
        text = problem.decode("utf-8", "replace") if isinstance(problem, bytes) else str(problem)
        return _("This regular expression cannot be read: %(problem)s (RE2 syntax).") % {"problem": text[:150]}
    return None


@lru_cache(maxsize=2_048)
def pattern(text: str) -> Any:
    """A compiled regular expression that takes linear time and bounded memory, whatever it is let loose on."""
    options = re2.Options()
    options.max_mem = _MAX_REGEX_MEMORY
    options.log_errors = False
    return re2.compile(text, options)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def evaluate(conditions: Sequence[Condition], exchange: Exchange) -> list[dict[str, Any]]:
    """Every condition with what was found: `field operator expected actual passed`, actual at most 200 characters.

    `actual` is None when there was nothing; `problem` then says why (`missing`, `not_json`, `no_certificate`).
    """
    answer = _AnswerValues(exchange)
    return [_evaluated(condition, answer) for condition in conditions]


def all_hold(conditions: Sequence[Condition], exchange: Exchange) -> bool:
    """Whether every condition is met: what `evaluate` says, without saying why."""
    answer = _AnswerValues(exchange)
    return all(holds(condition, answer.get(condition)[0]) for condition in conditions)


class _AnswerValues:
    """The values of an exchange by field; the body is decoded and parsed once, and only when asked for."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._text: str | None = None
        self._document: Any = None
        self._parsed = False

    def get(self, condition: Condition) -> tuple[Any, str]:
        """The value, or MISSING with the reason."""
        exchange = self._exchange
        match condition.group:
            case "status":
                return exchange.status, ""
            case "response_time_ms":
                return round(exchange.duration_ms, 1), ""
            case "certificate_days":
                return _certificate_days(exchange)
            case "body":
                return self._body(), ""
            case "header":
                found = exchange.headers.get(condition.detail.lower())
                return (MISSING, "missing") if found is None else (found, "")
            case _:
                return self._json(condition.detail)

    def _body(self) -> str:
        if self._text is None:
            self._text = self._exchange.text()
        return self._text

    def _json(self, path: str) -> tuple[Any, str]:
        if not self._parsed:
            self._parsed = True
            try:
                self._document = msgspec.json.decode(self._exchange.body)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                self._document = MISSING
        if self._document is MISSING:
            return MISSING, "not_json"
        value = reader(path)(self._document)
        return value, "missing" if value is MISSING else ""


def _certificate_days(exchange: Exchange) -> tuple[Any, str]:
    if exchange.certificate is None:
        return MISSING, "no_certificate"
    seconds = exchange.certificate.not_after.timestamp() - exchange.started_at
    return round(seconds / 86_400, 1), ""


def _evaluated(condition: Condition, answer: _AnswerValues) -> dict[str, Any]:
    actual, problem = answer.get(condition)
    result: dict[str, Any] = {
        "field": condition.field,
        "operator": condition.operator,
        "expected": _short(condition.value) if condition.value is not None else "null",
        "actual": None if actual is MISSING else _short(actual),
        "passed": holds(condition, actual),
    }
    return {**result, "problem": problem} if problem else result


def holds(condition: Condition, actual: Any) -> bool:
    """Whether `actual` (MISSING when there is none) meets the condition."""
    expected = condition.value
    if actual is MISSING or expected is None:
        absent = actual is MISSING or actual is None
        if expected is not None or condition.operator not in ("==", "!="):
            return False
        return absent if condition.operator == "==" else not absent
    if condition.operator == "matches":
        return pattern(str(expected)).search(_text(actual)) is not None
    if condition.operator in _TEXT_OPERATORS:
        return _contains(actual, expected) == (condition.operator == "contains")
    return _compared(condition, actual, expected)


def _compared(condition: Condition, actual: Any, expected: Any) -> bool:
    compare = _COMPARISONS[condition.operator]
    numbers = _number(actual), _number(expected)
    if numbers[0] is not None and numbers[1] is not None:
        return compare(*numbers)
    if condition.operator in _ORDERINGS:
        return False
    # A form sends every value as text, so true and "true" are the same to us.
    return compare(_text(actual), _text(expected))


def _contains(actual: Any, expected: Any) -> bool:
    if isinstance(actual, list):
        return any(_text(entry) == _text(expected) for entry in actual)
    if isinstance(actual, dict):
        return _text(expected) in actual
    return _text(expected) in _text(actual)


def _text(value: Any) -> str:
    """A value as a person would write it in a condition."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return msgspec.json.encode(value).decode()


def _short(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    text = _text(value)
    return text if len(text) <= MAX_ACTUAL else text[: MAX_ACTUAL - 1] + "…"
