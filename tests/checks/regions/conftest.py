"""A broker that has heard nothing and counted nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis


@pytest.fixture
def line() -> Iterator[Redis]:
    """The broker, without what an earlier story left."""
    from apps.checks.regions.broker import broker  # noqa: PLC0415 - pure tests load no framework

    client = broker()
    _forget(client)
    yield client
    _forget(client)


def _forget(client: Redis) -> None:
    for pattern in ("portal:worker:*", "portal:outcomes:*", "portal:probe.*"):
        for key in client.scan_iter(pattern):
            client.delete(key)


@pytest.fixture
def away(line: Redis, settings: object) -> None:
    """A broker that cannot be reached."""
    settings.REDIS_BROKER_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
