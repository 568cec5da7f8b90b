"""Writing heartbeats: made with their check, found or made by their short name, ping keys opened and closed."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.models import PingKey


def create_by_slug(*, environment_id: UUID, slug: str) -> UUID:
    """The id of the heartbeat check with this short name, made with a service of that name when there is none.

    Raises ValidationError on `slug`, and TooManyHeartbeats.
    """
    raise NotImplementedError


def open_ping_key(*, actor: User | None, environment: Environment) -> tuple[PingKey, str]:
    """A new key that opens every heartbeat of the environment by its short name; the key itself is second."""
    raise NotImplementedError


def close_ping_key(*, actor: User | None, key: PingKey) -> None:
    """Nobody can ping with this key any more."""
    raise NotImplementedError
