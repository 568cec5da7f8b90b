"""This process's own line to the broker, for life signs and counters: short waits, and no fact is kept there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

# What a broker that cannot be reached raises.
BROKER_ERRORS = (RedisError, OSError)


def broker() -> Redis:
    """One pool a process; every call waits a second at most and then raises one of BROKER_ERRORS."""
    return _client(settings.REDIS_BROKER_URL)


@lru_cache(maxsize=2)
def _client(url: str) -> Redis:
    client: Redis = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))
    return client


def seconds(broker_time: Any) -> float:
    """Unix seconds of the broker's answer to TIME."""
    whole, microseconds = broker_time
    return float(whole) + float(microseconds) / 1_000_000
