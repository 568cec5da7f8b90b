"""The names of the environments a role may be granted in. Environments live a layer above, which provides them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

Places = list[tuple[UUID, str]]
_source: Callable[[], Places] = list


def provide_places(source: Callable[[], Places]) -> None:
    """Called once at start by the layer that knows environments."""
    global _source  # noqa: PLW0603 - one catalog a process
    _source = source


def list_places() -> Places:
    """(id, name) of every environment, in order. One query."""
    return _source()
