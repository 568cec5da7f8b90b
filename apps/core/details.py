"""A few words of our own about what went wrong: a code and its values, said when they are shown.

Evidence holds them as `detail` (English, for programs), `detail_code` and `detail_values`; a page says them in its
reader's language. What others said is a value among them, quoted and never translated; so is a `detail` without a code.

Whoever has something to say declares its codes and what each means with `add_details`, at import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from django.utils.translation import gettext

from apps.core.registry import Registry

Value = str | int | float
_MAX_VALUE = 300

# English, by code.
DETAILS: Registry[str] = Registry("detail")
# What was stored before there were codes, and is the same words.
_OLD: set[str] = set()


def gettext_noop(text: str) -> str:
    """Mark a text for translation. Django's own asks for settings, and this is imported where there are none."""
    return text


def add_details(meanings: Mapping[Any, str], *, old: Iterable[str] = ()) -> None:
    """Declare codes (members of a StrEnum) with their English, marked by `gettext_noop`: the end of a sentence, or a
    whole one. `old`: English that stands in older evidence, without a code, for what is said otherwise by now."""
    for code, meaning in meanings.items():
        DETAILS.add(code.value, meaning)
    _OLD.update(old, (meaning for meaning in meanings.values() if "%(" not in meaning))


class Words(msgspec.Struct, frozen=True):
    """A detail with its values. `str()` is the English of it."""

    code: str
    values: dict[str, Value] = {}

    def __str__(self) -> str:
        return _filled(DETAILS.get(self.code), self.values)

    def said(self) -> str:
        """In the active language."""
        return _filled(gettext(DETAILS.get(self.code)), self.values)

    def to_evidence(self) -> dict[str, Any]:
        """As evidence holds it."""
        plain: dict[str, Any] = {"detail": str(self), "detail_code": self.code}
        return plain | {"detail_values": dict(self.values)} if self.values else plain

    def passed_through(self, change: Callable[[str], str]) -> Words:
        """The same with every text among its values changed."""
        changed = {name: change(value) if isinstance(value, str) else value for name, value in self.values.items()}
        return Words(self.code, changed)


def words(code: StrEnum, **values: Value) -> Words:
    """A detail; texts among its values are shortened, since others wrote them."""
    return Words(code.value, {name: _shortened(value) for name, value in values.items()})


def _shortened(value: Value) -> Value:
    is_long = isinstance(value, str) and len(value) > _MAX_VALUE
    return f"{value[: _MAX_VALUE - 1]}…" if isinstance(value, str) and is_long else value


def detail_words(evidence: Mapping[str, Any]) -> str:
    """What is wrong, in the active language; as it stands where evidence has no code, or one of a newer version."""
    stored = evidence.get("detail")
    plain = stored if isinstance(stored, str) else "" if stored is None else str(stored)
    code = evidence.get("detail_code")
    if isinstance(code, str) and code in DETAILS:
        values = evidence.get("detail_values")
        return _filled(gettext(DETAILS.get(code)), values if isinstance(values, Mapping) else {}) or plain
    return gettext(plain) if plain in _OLD else plain


def is_ours(evidence: Mapping[str, Any]) -> bool:
    """Whether the detail is in words of our own, not in those of somebody else."""
    stored = evidence.get("detail")
    return bool(evidence.get("detail_code")) or (isinstance(stored, str) and stored in _OLD)


def readable(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence with its detail as a person reads it, in the active language, and without the parts that made it."""
    shown = {name: value for name, value in evidence.items() if name not in ("detail_code", "detail_values")}
    is_said = bool(evidence.get("detail_code")) or isinstance(evidence.get("detail"), str)
    return shown | {"detail": detail_words(evidence)} if is_said else shown


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """The words with their values, and the type of the content behind them where one is known; "" for a lack."""
    try:
        said = template % values if "%(" in template else template
    except (KeyError, ValueError, TypeError):
        return ""
    content_type = values.get("content_type")
    return f"{said} ({content_type})" if content_type else said
