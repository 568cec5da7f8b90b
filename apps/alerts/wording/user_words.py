"""The user's own wording: text with placeholders of known names, and sections repeated for each alert. Pure.

    {{ count }} alerts
    {{#firing}}
    - {{ target }}: {{ reason }} ({{ link }})
    {{/firing}}

Nothing is evaluated: a name is looked up in one flat table, and what is not exactly such a placeholder stays the text
it is. Values are put in once and never read again as wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MAX_CHARACTERS = 4_000
MAX_OUTPUT_CHARACTERS = 20_000
_MAX_PROBLEMS = 20

SECTIONS: dict[str, Any] = {
    "firing": gettext_lazy("For each alert that is firing"),
    "resolved": gettext_lazy("For each alert that is over"),
}
# Of one alert: in a section the one at hand, outside it the first.
ALERT_PLACEHOLDERS: dict[str, Any] = {
    "target": gettext_lazy("What it is about; a model with its provider"),
    "provider": gettext_lazy("The provider of a model"),
    "severity": gettext_lazy("Critical, warning or info"),
    "state": gettext_lazy("Firing or resolved"),
    "reason": gettext_lazy("What was found, as a sentence"),
    "cause": gettext_lazy("What was measured"),
    "value": gettext_lazy("The measured value, if there is one"),
    "level": gettext_lazy("The level it passed, if there is one"),
    "rule": gettext_lazy("The rule that says so"),
    "environment": gettext_lazy("Its environment"),
    "kind": gettext_lazy("The kind of target"),
    "since": gettext_lazy("When it began"),
    "duration": gettext_lazy("How long it has lasted"),
    "acknowledged_by": gettext_lazy("Who acknowledged it"),
    "link": gettext_lazy("Its page"),
}
# Of the whole message.
MESSAGE_PLACEHOLDERS: dict[str, Any] = {
    "title": gettext_lazy("The title the portal would write"),
    "count": gettext_lazy("How many alerts the message is about"),
    "firing_count": gettext_lazy("How many of them are firing"),
    "resolved_count": gettext_lazy("How many of them are over"),
    "time": gettext_lazy("When the message was made"),
}
PLACEHOLDERS: dict[str, Any] = {**ALERT_PLACEHOLDERS, **MESSAGE_PLACEHOLDERS}

_TAG = re.compile(r"\{\{([#/]?)[ \t]{0,8}([a-z_]{1,40})[ \t]{0,8}\}\}")
# What looks as if somebody expected it to be evaluated.
_CODE_LIKE = re.compile(r"\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{0,80}%\}")
_LINE_AFTER = re.compile(r"[ \t]*(?:\r?\n|\Z)")

Values = Mapping[str, "str | Sequence[Mapping[str, str]]"]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and on which line (the first is 1). Without `is_error` it is a remark: it is sent as it stands."""

    line: int
    sentence: str
    is_error: bool = True


@dataclass(frozen=True)
class _Piece:
    """A part of a template: text as it stands, a placeholder, or the beginning or end of a section."""

    mark: str
    content: str
    start: int
    source: str


def render_user_words(template: str, values: Values) -> str:
    """`template` with its placeholders filled in; at most MAX_OUTPUT_CHARACTERS. Never raises.

    `values` has a text a placeholder, and under the name of a section the values of each of its alerts.
    """
    pieces = _pieces(template)
    ends = _section_ends(pieces)
    out: list[str] = []
    room = MAX_OUTPUT_CHARACTERS
    position = 0
    while position < len(pieces):
        end = ends.get(position)
        if end is None:
            found = [_filled(pieces[position], values, {})]
        else:
            alerts = values.get(pieces[position].content, ())
            inner = pieces[position + 1 : end]
            rows = alerts if not isinstance(alerts, str) else ()
            found = [_filled(piece, values, row) for row in rows for piece in inner]
        for text in found:
            out.append(text[:room])
            room -= len(out[-1])
        position = position + 1 if end is None else end + 1
    return "".join(out)


def problems_of(template: object) -> list[Problem]:
    """What is wrong with a template, by line; remarks among it (`is_error` False) do not keep it from being used."""
    if not isinstance(template, str):
        return [Problem(1, _("Enter a text."))]
    if len(template) > MAX_CHARACTERS:
        sentence = _("The wording is longer than %(limit)s characters.") % {"limit": MAX_CHARACTERS}
        return [Problem(_line_at(template, MAX_CHARACTERS), sentence)]
    found = [*_unprintable(template), *_structure(template), *_code_like(template)]
    return sorted(found, key=lambda problem: problem.line)[:_MAX_PROBLEMS]


# --- Reading ----------------------------------------------------------------------------------------------


def _pieces(template: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    for tag in _TAG.finditer(template):
        start, end = _stretch(template, tag)
        start = max(start, position)
        if start > position:
            pieces.append(_Piece("text", template[position:start], position, template[position:start]))
        pieces.append(_Piece(tag[1] or "value", tag[2], tag.start(), template[start:end]))
        position = end
    if position < len(template):
        pieces.append(_Piece("text", template[position:], position, template[position:]))
    return pieces


def _stretch(template: str, tag: re.Match[str]) -> tuple[int, int]:
    """Where a tag begins and ends. One of a section that has its line to itself takes the whole line with it."""
    if tag[1]:
        before = template.rfind("\n", 0, tag.start()) + 1
        after = _LINE_AFTER.match(template, tag.end())
        if after is not None and not template[before : tag.start()].strip(" \t"):
            return before, after.end()
    return tag.start(), tag.end()


def _section_ends(pieces: Sequence[_Piece]) -> dict[int, int]:
    """Where each section that is whole begins and ends, by index. Sections do not nest: an inner one stays text."""
    ends: dict[int, int] = {}
    begun: int | None = None
    for index, piece in enumerate(pieces):
        if piece.mark == "#" and piece.content in SECTIONS and begun is None:
            begun = index
        elif piece.mark == "/" and begun is not None and piece.content == pieces[begun].content:
            ends[begun], begun = index, None
    return ends


def _filled(piece: _Piece, values: Values, row: Mapping[str, str]) -> str:
    if piece.mark != "value" or piece.content not in PLACEHOLDERS:
        return piece.source
    value = row.get(piece.content, values.get(piece.content, ""))
    return value if isinstance(value, str) else ""


# --- What is wrong ----------------------------------------------------------------------------------------


def _structure(template: str) -> list[Problem]:
    problems: list[Problem] = []
    begun: _Piece | None = None
    for piece in _pieces(template):
        line = _line_at(template, piece.start)
        if piece.mark == "value" and piece.content not in PLACEHOLDERS:
            problems.append(Problem(line, _unknown(piece.content)))
        elif piece.mark in ("#", "/") and piece.content not in SECTIONS:
            values = {"name": piece.content, "known": ", ".join(SECTIONS)}
            problems.append(Problem(line, _("There is no section “%(name)s”. Known: %(known)s.") % values))
        elif piece.mark == "#" and begun is not None:
            sentence = _("The section “%(name)s” begins inside another one; end that one first.")
            problems.append(Problem(line, sentence % {"name": piece.content}))
        elif piece.mark == "#":
            begun = piece
        elif piece.mark == "/" and (begun is None or begun.content != piece.content):
            problems.append(Problem(line, _("The section “%(name)s” ends but never began.") % {"name": piece.content}))
        elif piece.mark == "/":
            begun = None
    if begun is not None:
        values = {"name": begun.content, "end": "{{/" + begun.content + "}}"}
        sentence = _("The section “%(name)s” never ends; write %(end)s after it.")
        problems.append(Problem(_line_at(template, begun.start), sentence % values))
    return problems


def _unknown(name: str) -> str:
    placeholder = "{{ " + name + " }}"
    if name in SECTIONS:
        values = {"name": placeholder, "begin": "{{#" + name + "}}", "end": "{{/" + name + "}}"}
        return _("%(name)s is a section: write %(begin)s … %(end)s.") % values
    near = get_close_matches(name, PLACEHOLDERS, n=1)
    if near:
        values = {"name": placeholder, "near": "{{ " + near[0] + " }}"}
        return _("There is no placeholder %(name)s. Did you mean %(near)s?") % values
    return _("There is no placeholder %(name)s.") % {"name": placeholder}


def _code_like(template: str) -> list[Problem]:
    found = [match for match in _CODE_LIKE.finditer(template) if not _TAG.fullmatch(match[0])]
    sentence = _("%(text)s is no placeholder and is sent as it stands.")
    return [Problem(_line_at(template, each.start()), sentence % {"text": each[0]}, is_error=False) for each in found]


def _unprintable(template: str) -> list[Problem]:
    for position, letter in enumerate(template):
        if not letter.isprintable() and letter not in "\n\r\t\u200d":
            return [Problem(_line_at(template, position), _("This line has a character that cannot be printed."))]
    return []


def _line_at(template: str, position: int) -> int:
    return template.count("\n", 0, position) + 1
