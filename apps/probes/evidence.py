"""Evidence: the plain, bounded values an outcome carries to prove itself.

The bound lives here and nowhere else. PostgreSQL's jsonb takes no NUL character and JSON no infinity, so both go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from apps.core.kindconfig import MASK

MAX_BYTES = 16_000
_MAX_DEPTH = 6
_MAX_ITEMS = 100
_MAX_KEY = 200
_TEXT_LIMITS = (4_096, 1_024, 256, 64)
# A shorter secret would mask half of every text; such a secret is a placeholder, not a secret.
_MIN_SECRET = 4


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
    """`evidence` with every secret masked wherever it occurs: a target may echo what it was sent."""
    known = sorted({secret for secret in secrets if len(secret) >= _MIN_SECRET}, key=len, reverse=True)
    return _redacted(evidence, known) if known else evidence


def _redacted(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, bytes):
        return _redacted(value.decode("utf-8", "replace"), secrets)
    if isinstance(value, Mapping):
        return {_redacted(str(key), secrets): _redacted(entry, secrets) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(entry, secrets) for entry in value]
    return value
