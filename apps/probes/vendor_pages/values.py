"""Plain, bounded values out of documents that somebody else wrote. Nothing here raises for what it finds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_ROWS = 2_000
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_MAX_MOMENT = 64


def text(value: Any, limit: int) -> str:
    """One line of at most `limit` characters, without controls and marks that turn text around; "" for no text."""
    if not isinstance(value, str):
        return ""
    # Somewhat more than what is kept: blanks are made one before it is cut.
    line = _BLANK.sub(" ", value[: limit * 4]).strip()
    line = line.encode("utf-8", "replace").decode()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def word(value: Any) -> str:
    """A word of a protocol to look up in a table: a short text as it is, "" for anything else."""
    return value if isinstance(value, str) and len(value) <= 60 else ""


def identifier(value: Any, limit: int = 200) -> str:
    """An id as text; numbers are ids too."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return str(value)
    return text(value, limit)


def rows(document: Any, *names: str) -> list[dict[str, Any]]:
    """The objects in the first list found under `names`, at most MAX_ROWS; [] when there is none."""
    for name in names:
        found = document.get(name) if isinstance(document, dict) else None
        if isinstance(found, list):
            return [row for row in found[:MAX_ROWS] if isinstance(row, dict)]
    return []


def part(document: Any, name: str) -> dict[str, Any]:
    """The object under `name`; {} when there is none."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def moment(value: Any) -> datetime | None:
    """A moment in ISO 8601 or as in mail headers (no zone: UTC), in UTC; None for anything else."""
    if not isinstance(value, str) or not 8 <= len(value) <= _MAX_MOMENT:
        return None
    try:
        parsed = _parsed(value.strip())
        parsed = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        in_utc = parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return in_utc if 2000 <= in_utc.year <= 2100 else None


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return parsedate_to_datetime(value)


def web_link(value: Any, limit: int = 500) -> str:
    """A link a browser opens safely; "" for anything else, and for one that would have to be cut."""
    link = value.strip() if isinstance(value, str) and len(value) <= limit else ""
    return link if link.startswith(("https://", "http://")) and not _BLANK.search(link) else ""


def first_moment(*values: Any) -> datetime | None:
    """The first of `values` that is a moment."""
    return next((found for value in values if (found := moment(value)) is not None), None)


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of those there are."""
    return max((one for one in moments if one is not None), default=None)
