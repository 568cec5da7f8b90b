"""Human text in templates that no translation tag holds. A heuristic with a small list of words that may stand.

Text inside `<code>`, `<kbd>`, `<pre>`, `<samp>`, scripts, styles and elements marked `translate="no"` is not for people
to read in their language, so it is left alone.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.template.base import Lexer, Token, TokenType

from tools.translation.allowed import unknown_words
from tools.translation.template_source import BLOCK_TAGS, END_TAGS, TRANSLATE_TAGS, drop_until, tag_name

_READ_ATTRIBUTES = {"alt", "title", "placeholder", "aria-label", "aria-description", "aria-roledescription", "label"}
_READ_ATTRIBUTES |= {"aria-valuetext", "data-confirm", "data-label", "data-text", "data-title", "data-tooltip"}
_LITERAL_ELEMENTS = {"code", "kbd", "pre", "samp", "script", "style"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_READ_BUTTONS = {"submit", "button", "reset"}
_GAP = "\ue000"  # stands where a value goes: neither a letter nor white space
# Parameters of included fragments and filters that end up on the page.
_PARAMETER = re.compile(
    r"(?:^|\s)(label|title|heading|text|message|help|hint|empty|placeholder|caption|description|note|unit|action)="
    r"(\"[^\"]*\"|'[^']*')"
)
# A default is a word for people when it begins like one or is several; "clock" may be the name of an icon.
_FILTER = re.compile(
    r"\|\s*(?:default|default_if_none)\s*:\s*(\"[A-Z][^\"]*\"|'[A-Z][^']*'|\"[^\"]* [^\"]*\"|'[^']* [^']*')"
    r"|\|\s*(?:yesno|pluralize)\s*:\s*(\"[^\"]*\"|'[^']*')"
)
# What a tag of ours is given by position: {% table_header "Status" %}.
_ARGUMENT = re.compile(r"\s(\"[A-Z][^\"]*\"|'[A-Z][^']*')")
_LOOKUPS = {"static", "url", "load", "extends", "if", "elif", "block"} | TRANSLATE_TAGS | BLOCK_TAGS


def bare_text(source: str) -> list[str]:
    """The pieces of a template that people would read in English whatever their language, in order."""
    tokens = Lexer(source).tokenize()
    found: list[str] = []
    markup = ""
    while tokens:
        token = tokens.pop(0)
        name = tag_name(token)
        if name == "comment":
            drop_until(tokens, {"endcomment"})
        elif name in BLOCK_TAGS:
            drop_until(tokens, END_TAGS)
            markup += _GAP
        elif token.token_type is TokenType.TEXT:
            markup += token.contents
        elif token.token_type is TokenType.VAR or name in TRANSLATE_TAGS:
            markup += _GAP
        found += _bare_parameters(token, name)
    return found + readable_text(markup)


def readable_text(markup: str) -> list[str]:
    """The texts and attributes of a page, or of what is left of a template, with words somebody would translate."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.found


def _bare_parameters(token: Token, name: str) -> list[str]:
    if token.token_type not in (TokenType.BLOCK, TokenType.VAR):
        return []
    literals = [match[1] or match[2] for match in _FILTER.finditer(token.contents)]
    if token.token_type is TokenType.BLOCK and name not in _LOOKUPS:
        literals += [match[2] for match in _PARAMETER.finditer(token.contents)]
        literals += [match[1] for match in _ARGUMENT.finditer(token.contents)]
    return [literal for literal in literals if unknown_words(literal)]


class _Reader(HTMLParser):
    """Collects what a person would read; template branches may leave elements unbalanced."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        read = _READ_ATTRIBUTES | ({"value"} if tag == "input" and values.get("type") in _READ_BUTTONS else set())
        self.found += [f'{name}="{value}"' for name, value in values.items() if name in read and unknown_words(value)]
        if tag not in _VOID:
            self._open.append((tag, tag in _LITERAL_ELEMENTS or values.get("translate") == "no"))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for position in range(len(self._open) - 1, -1, -1):
            if self._open[position][0] == tag:
                del self._open[position:]
                return

    def handle_data(self, data: str) -> None:
        if unknown_words(data) and not any(literal for _, literal in self._open):
            self.found.append(" ".join(data.replace(_GAP, "…").split()))
