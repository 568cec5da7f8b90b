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
from apps.probes.details import Detail

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
# Its code, and what older evidence says instead of it.
_NOT_ASKED = {Detail.NOT_ASKED.value, "not asked"}


@dataclass(frozen=True)
class PromptLine:
    """One golden prompt of one look. `pieces`: expected and actual as one row, empty where they cannot be compared.

    Not `asked`: the look had ended before, so that it neither passed nor failed.
    """

    name: str
    asked: bool
    passed: bool
    assertion: Text
    expected: str
    actual: str
    detail: str
    pieces: list[Piece] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return self.asked and not self.passed


def prompts_of(found: Any) -> list[PromptLine]:
    """The prompts in evidence, those that failed first and those not asked last; what is no prompt is left out."""
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    lines = [_line(entry) for entry in entries[:_MOST]]
    return sorted(lines, key=lambda line: (not line.asked, line.passed))


def _line(entry: Mapping[str, Any]) -> PromptLine:
    expected, actual = _text(entry.get("expected")), _text(entry.get("actual"))
    assertion = _text(entry.get("assertion"))
    passed = entry.get("passed") is True
    asked = passed or not _NOT_ASKED & {entry.get("detail_code"), entry.get("detail")}
    compared = asked and not passed and assertion in _COMPARABLE and bool(expected)
    return PromptLine(
        name=_text(entry.get("name")),
        asked=asked,
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
