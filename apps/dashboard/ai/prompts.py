"""Golden prompts as people read them: what was expected, what came, and where the two part.

They come from a model by way of evidence: no shape is trusted, and templates escape every text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.details import detail_words
from apps.dashboard.ai.differences import Piece, difference

Text = str | Promise

_ASSERTIONS: dict[str, Text] = {
    "exact": _("exactly"),
    "regex": _("matches the pattern"),
    "json_schema": _("fits the JSON schema"),
    "tool_call": _("calls the tool"),
}
# Only texts of one kind can be laid over each other: a pattern or a schema is no variant of an answer.
_COMPARABLE = frozenset({"exact", "tool_call"})
_MOST = 50


@dataclass(frozen=True)
class PromptLine:
    """One golden prompt of one look. `pieces`: expected and actual as one row, empty where they cannot be compared."""

    name: str
    passed: bool
    assertion: Text
    expected: str
    actual: str
    detail: str
    pieces: list[Piece] = field(default_factory=list)


def prompts_of(found: Any) -> list[PromptLine]:
    """The prompts in a piece of evidence, those that failed first; what is no prompt is left out."""
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    lines = [_line(entry) for entry in entries[:_MOST]]
    return sorted(lines, key=lambda line: line.passed)


def _line(entry: Mapping[str, Any]) -> PromptLine:
    expected, actual = _text(entry.get("expected")), _text(entry.get("actual"))
    assertion = _text(entry.get("assertion"))
    passed = entry.get("passed") is True
    compared = not passed and assertion in _COMPARABLE and bool(expected)
    return PromptLine(
        name=_text(entry.get("name")),
        passed=passed,
        assertion=_ASSERTIONS.get(assertion, assertion),
        expected=expected,
        actual=actual,
        detail=detail_words(entry),
        pieces=difference(expected, actual) if compared else [],
    )


def _text(value: Any) -> str:
    from apps.dashboard.evidence_view import text_of  # noqa: PLC0415 - the two views show parts of each other

    return "" if value is None else text_of(value)
