"""Evidence: the plain, bounded values an outcome carries to prove itself.

The bound lives here and nowhere else. PostgreSQL's jsonb takes no NUL character and JSON no infinity, so both go.
"""

from __future__ import annotations

import base64
import html
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from apps.core.kindconfig import MASK

MAX_BYTES = 16_000
_MAX_DEPTH = 6
_MAX_ITEMS = 100
_MAX_KEY = 200
_TEXT_LIMITS = (4_096, 1_024, 256, 64)
# A shorter secret would mask half of every text; such a secret is a placeholder, not a secret.
_MIN_SECRET = 4
# A shorter one of letters alone is a word ("test", "EMPTY", "ollama"): masked as a word, not within "latest".
_MIN_UNLIKE_A_WORD = 8
# A text may have been cut in the middle of a secret, so its beginning is enough: so much of a key, and of a sentence,
# whose first words many others have as well. What begins as an address does begins as many others.
_KEY_HEAD = 12
_SENTENCE_HEAD = 24
# So much of Base64 is a secret's, whatever stands before and behind it.
_MIN_FRAGMENT = 8
# Escaped twice is escaped, too: JSON in a text of JSON. Each run of backslashes is tried once, however long it is.
_ESCAPED = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|([/\"]))")


def bounded(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """`evidence` as plain JSON values of at most MAX_BYTES, cutting the longest texts first."""
    if not evidence:
        return {}
    for limit in _TEXT_LIMITS:
        plain = {_text(str(key), _MAX_KEY): _plain(value, limit, _MAX_DEPTH) for key, value in evidence.items()}
        if len(msgspec.json.encode(plain)) <= MAX_BYTES:
            return plain
    small: dict[str, Any] = {"truncated": True}
    size = len(msgspec.json.encode(small))
    for key, value in plain.items():
        size += len(msgspec.json.encode({key: value}))
        if size > MAX_BYTES:
            break
        small[key] = value
    return small


def _plain(value: Any, limit: int, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:limit]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        value = value[: limit * 4].decode("utf-8", "replace")
    if isinstance(value, Mapping) and depth:
        items = list(value.items())[:_MAX_ITEMS]
        return {_text(str(key), _MAX_KEY): _plain(entry, limit, depth - 1) for key, entry in items}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_plain(entry, limit, depth - 1) for entry in list(value)[:_MAX_ITEMS]]
    return _text(str(value), limit)


def _text(value: str, limit: int) -> str:
    # Lone surrogates cannot be encoded; NUL cannot be stored.
    clean = value[: limit + 1].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(value) <= limit else clean[: limit - 1] + "…"


def redacted(evidence: Any, secrets: Iterable[str]) -> Any:
    """`evidence` with every secret masked wherever it occurs, whole or cut off: a target may echo what it was sent, as
    it is, in Base64, or escaped as addresses, JSON and HTML have it."""
    known = {form for secret in secrets if len(secret) >= _MIN_SECRET for form in _forms(secret)}
    forms = sorted(known, key=len, reverse=True)
    if not forms:
        return evidence
    # Nearly always there is nothing to hide, which is seen soonest in all the texts at once.
    return _redacted(evidence, forms) if _may_hold("\0".join(_texts(evidence)), forms) else evidence


def _forms(secret: str) -> set[str]:
    """A secret as it is, as JSON writes it, and in Base64 wherever it stands in what was encoded; in lower case."""
    forms = {secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + secret.encode()).decode()
        # The characters at both ends are shared with what stands beside.
        fragment = packed[(0, 2, 3)[before] : (before + len(secret.encode())) * 8 // 6]
        if len(fragment) >= _MIN_FRAGMENT:
            forms |= {fragment, fragment.replace("+", "-").replace("/", "_")}
    return {_lowered(form) for form in forms}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield str(key)
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)


def _may_hold(text: str, forms: list[str]) -> bool:
    heads = [_head(form) for form in forms]
    read = [text, *(unescape(text) for mark, unescape in _ESCAPES if mark in text)]
    return any(head in lowered for lowered in map(_lowered, read) for head in heads)


def _redacted(value: Any, forms: list[str]) -> Any:
    if isinstance(value, str):
        return _without(value, forms)
    if isinstance(value, bytes):
        return _without(value.decode("utf-8", "replace"), forms)
    if isinstance(value, Mapping):
        return {_without(str(key), forms): _redacted(entry, forms) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(entry, forms) for entry in value]
    return value


def _without(text: str, forms: list[str]) -> str:
    text = _hidden(text, forms)
    for mark, unescape in _ESCAPES:
        if mark in text and (plain := unescape(text)) != text:
            clean = _hidden(plain, forms)
            # Shown unescaped only where there is something to hide.
            text = clean if clean != plain else text
    return text


def _hidden(text: str, forms: list[str]) -> str:
    lowered = _lowered(text)
    for form in forms:
        head = _head(form)
        if head in lowered:
            text = _without_form(text, lowered, form, head)
            lowered = _lowered(text)
    return text


def _head(form: str) -> str:
    """The beginning that is enough to be taken for the whole."""
    if "://" in form:
        return form
    return form[: _SENTENCE_HEAD if " " in form else _KEY_HEAD]


def _without_form(text: str, lowered: str, form: str, head: str) -> str:
    kept, after, place = [], 0, lowered.find(head)
    is_word = len(form) < _MIN_UNLIKE_A_WORD and form.isalpha()
    while place >= 0:
        end = place + len(head)
        while end < len(lowered) and end - place < len(form) and lowered[end] == form[end - place]:
            end += 1
        if not is_word or _stands_alone(lowered, place, end):
            kept += [text[after:place], MASK]
            after = end
        place = lowered.find(head, end)
    return "".join([*kept, text[after:]])


def _stands_alone(text: str, start: int, end: int) -> bool:
    beside = text[max(start - 1, 0) : start] + text[end : end + 1]
    return not any(letter.isalnum() or letter == "_" for letter in beside)


def _lowered(text: str) -> str:
    """In lower case, character for character: names of headers, for one, come back in another case."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    # A few letters are two in lower case ("\u0130"); they stay as they are, and the places of all others hold.
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text).encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16", "replace")  # fmt: skip


_ESCAPES: tuple[tuple[str, Callable[[str], str]], ...] = (("%", unquote), ("\\", _unescaped), ("&", html.unescape))
