"""Strings in Django templates, read with Django's own lexer so that what is collected is what is looked up.

A percent sign is doubled exactly where Django doubles it, and `trimmed` trims with Django's own function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.template.base import Lexer, Token, TokenType
from django.utils.translation import trim_whitespace

from tools.translation.message import Message

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\''
_LITERAL = re.compile(rf"_\((?P<marked>{_STRING})\)|(?P<plain>{_STRING})")
_MARKED = re.compile(rf"(?<![\w.])_\((?P<marked>{_STRING})\)")
TRANSLATE_TAGS = {"trans", "translate"}
BLOCK_TAGS = {"blocktrans", "blocktranslate"}
END_TAGS = {f"end{name}" for name in BLOCK_TAGS}


class BrokenTemplate(ValueError):
    """A translation block that never ends, or that holds another tag."""


def extract_template(source: str, path: str) -> Iterator[Message]:
    """Messages of one template; raises BrokenTemplate."""
    tokens = Lexer(source).tokenize()
    while tokens:
        token = tokens.pop(0)
        name = tag_name(token)
        if name == "comment":
            drop_until(tokens, {"endcomment"})
        elif name in TRANSLATE_TAGS:
            yield from _translate_tag(token, path)
        elif name in BLOCK_TAGS:
            yield from _translate_block(token, drop_until(tokens, END_TAGS), path)
        if token.token_type in (TokenType.BLOCK, TokenType.VAR):
            for match in _MARKED.finditer(token.contents):
                yield Message(_escaped(_unquoted(match["marked"])), path=path)


def tag_name(token: Token) -> str:
    """The first word of a block tag; "" for anything else."""
    if token.token_type is not TokenType.BLOCK:
        return ""
    return token.contents.split(None, 1)[0] if token.contents.strip() else ""


def drop_until(tokens: list[Token], names: set[str]) -> list[Token]:
    """Take tokens up to and including the tag that ends a block; returns those before it."""
    taken: list[Token] = []
    while tokens:
        token = tokens.pop(0)
        if tag_name(token) in names:
            return taken
        taken.append(token)
    raise BrokenTemplate(f"a block that should end with {' or '.join(sorted(names))} never ends")


def _translate_tag(token: Token, path: str) -> Iterator[Message]:
    parts = token.split_contents()
    literal = _LITERAL.match(parts[1]) if len(parts) > 1 else None
    if literal and literal["plain"]:  # `_("…")` is found by the general search; a variable was marked elsewhere
        yield Message(_escaped(_unquoted(literal["plain"])), context=_context(parts), path=path)


def _translate_block(token: Token, content: list[Token], path: str) -> Iterator[Message]:
    parts = token.split_contents()
    singular, plural = _split_plural(content, f"{path}:{token.lineno}")
    trimmed = "trimmed" in parts
    text = _block_text(singular, trimmed)
    if text:
        yield Message(text, _block_text(plural, trimmed), _context(parts), path)


def _split_plural(content: list[Token], place: str) -> tuple[list[Token], list[Token]]:
    forms: list[list[Token]] = [[]]
    for token in content:
        if token.token_type is not TokenType.BLOCK:
            forms[-1].append(token)
        elif token.contents.strip() == "plural" and len(forms) == 1:
            forms.append([])
        else:
            raise BrokenTemplate(f"{place}: a translation block holds no other tag, but found {token.contents!r}")
    return forms[0], forms[1] if len(forms) == 2 else []


def _block_text(tokens: list[Token], trimmed: bool) -> str:
    """The same join as BlockTranslateNode.render_token_list."""
    text = ""
    for token in tokens:
        if token.token_type is TokenType.TEXT:
            text += _escaped(token.contents)
        elif token.token_type is TokenType.VAR:
            text += f"%({token.contents})s"
    return str(trim_whitespace(text)) if trimmed else text


def _context(parts: list[str]) -> str:
    position = parts.index("context") + 1 if "context" in parts else len(parts)
    literal = _LITERAL.fullmatch(parts[position]) if position < len(parts) else None
    return _unquoted(literal["plain"] or literal["marked"]) if literal else ""


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _unquoted(literal: str) -> str:
    quote = literal[0]
    return literal[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\")
