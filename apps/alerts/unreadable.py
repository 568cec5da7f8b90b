"""What is stored and cannot be read: by an older version, or by hand. It stops itself and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Unreadable(ValueError):
    """A stored value that does not say what it should."""


def entries_of(stored: object) -> list[Mapping[str, Any]]:
    """A stored list of objects. Raises Unreadable."""
    if not isinstance(stored, list) or not all(isinstance(entry, Mapping) for entry in stored):
        raise Unreadable("no list of objects")
    return stored


def shown(stored: object, names: Iterable[str]) -> list[dict[str, str]]:
    """For showing: the entries that have all of these texts; others are left out."""
    wanted = list(names)
    rows = stored if isinstance(stored, list) else []
    return [
        dict(entry)
        for entry in rows
        if isinstance(entry, Mapping) and all(isinstance(entry.get(name), str) for name in wanted)
    ]
