"""A worker of a region as the broker hears it."""

from __future__ import annotations

from typing import Any

from redis import Redis

from apps.checks.regions import vitals
from apps.checks.regions.broker import seconds
from apps.checks.regions.vitals import Vitals


def speak(client: Redis, region: str, name: str = "first-1", *, seconds_ago: float = 0.0, **said: Any) -> Vitals:
    """Say it, as if it had been said a while ago."""
    now = seconds(client.time())
    values: dict[str, Any] = {"version": "0.1.0", "host": "first", "pid": 1, "started_at": now - 100, **said}
    one = Vitals(region=region, name=name, at=now - seconds_ago, **values)
    vitals.write(client, one)
    return one
