"""Writing the tree of routes: one transaction each, with its audit entry, and what is worth knowing about it."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.alerts.models import Route

MAX_ROUTES = 500
MAX_DEPTH = 8


def create_route(*, actor: User | None, **fields: Any) -> tuple[Route, list[str]]:
    """Make a route; `fields` are the model's, `channels` a list of Channel. Raises ValidationError by field.

    Returns it with warnings: what was saved and will not do what somebody may expect of it.
    """
    raise NotImplementedError


def update_route(*, actor: User | None, route: Route, **fields: Any) -> tuple[Route, list[str]]:
    """Edit any of the fields. Raises ValidationError by field."""
    raise NotImplementedError


def move_route(*, actor: User | None, route: Route, parent: Route | None, position: int) -> tuple[Route, list[str]]:
    """Put it inside `parent` (None: at the top) as the `position`-th of its siblings, counted from 0."""
    raise NotImplementedError


def delete_route(*, actor: User | None, route: Route) -> list[str]:
    """Remove it and all routes inside it. Returns warnings."""
    raise NotImplementedError
