"""Cached selectors whose invalidation is automatic: keys hold the version of everything they depend on.

A service bumps a dependency's version when it commits; from then on every key is another one. The versions are read
*before* the query, so a slow reader stores what it found under the old key, where nobody looks any more.

Valkey holds it all and may go away at any moment: then every call goes straight to SQL.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import structlog
from django.core.cache import cache
from django.db import models, transaction
from django_redis.exceptions import ConnectionInterrupted
from prometheus_client import Counter
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

# What a Valkey that is gone, or too slow, looks like.
AWAY = (RedisError, OSError, ConnectionInterrupted)

# Versions outlive every entry that was stored under them.
_VERSION_SECONDS = 86_400
_COUNTER_SECONDS = 7 * 86_400
_MISSING = object()

requests_total = Counter("portal_cache_requests_total", "Calls of cached selectors, by result.", ["cache", "result"])
_names: set[str] = set()


def cached(
    name: str, ttl: int, depends: tuple[str, ...]
) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Remember a selector's answer for `ttl` seconds, or until one of `depends` is bumped.

    The key is made of the arguments; a user counts by what they may see, so two people with the same grants share
    an entry and a change of grants is a new key. Answers must be plain data.
    """
    _names.add(name)

    def decorate(selector: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @functools.wraps(selector)
        def read(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            try:
                key = _key(name, depends, args, kwargs)
                found = cache.get(key, _MISSING)
            except AWAY:
                requests_total.labels(name, "unavailable").inc()
                return selector(*args, **kwargs)
            if found is not _MISSING:
                _count(name, "hit")
                return found  # type: ignore[no-any-return]
            answer = selector(*args, **kwargs)
            _store(key, answer, ttl)
            _count(name, "miss")
            return answer

        return read

    return decorate


def bump(*dependencies: str) -> None:
    """Make everything that depends on these stale, once the present transaction commits."""
    transaction.on_commit(lambda: _bump(dependencies), robust=True)


def _bump(dependencies: tuple[str, ...]) -> None:
    try:
        for dependency in dependencies:
            key = _version_key(dependency)
            try:
                cache.incr(key)
            except ValueError:
                # No version yet (or it was evicted): any value nobody has used will do.
                cache.set(key, _new_version(), _VERSION_SECONDS)
    except AWAY as error:
        # Entries live at most their few seconds of TTL: a missed bump is a short delay, never a wrong fact for long.
        logger.warning("cache_bump_failed", dependencies=dependencies, error=str(error))


def cache_statistics() -> dict[str, dict[str, float | int | None]]:
    """Hits, misses and the hit rate (0..1, None before the first call) of each cache, over all processes."""
    statistics: dict[str, dict[str, float | int | None]] = {}
    try:
        keys = [_counter_key(name, result) for name in sorted(_names) for result in ("hit", "miss")]
        counts = cache.get_many(keys)
    except AWAY:
        return {}
    for name in sorted(_names):
        hits = int(counts.get(_counter_key(name, "hit"), 0))
        misses = int(counts.get(_counter_key(name, "miss"), 0))
        total = hits + misses
        statistics[name] = {"hits": hits, "misses": misses, "rate": hits / total if total else None}
    return statistics


def _count(name: str, result: str) -> None:
    requests_total.labels(name, result).inc()
    key = _counter_key(name, result)
    try:
        cache.incr(key)
    except ValueError:
        _quietly(lambda: cache.add(key, 1, _COUNTER_SECONDS))
    except AWAY:
        pass  # a count lost with Valkey is no fact


def _store(key: str, answer: Any, ttl: int) -> None:
    _quietly(lambda: cache.set(key, answer, ttl))


def _quietly(write: Callable[[], Any]) -> None:
    try:
        write()
    except AWAY as error:
        logger.debug("cache_write_failed", error=str(error))


def _key(name: str, depends: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    versions = cache.get_many([_version_key(dependency) for dependency in depends])
    missing = [dependency for dependency in depends if _version_key(dependency) not in versions]
    for dependency in missing:
        cache.add(_version_key(dependency), _new_version(), _VERSION_SECONDS)
        versions[_version_key(dependency)] = cache.get(_version_key(dependency))
    parts = [f"{dependency}={versions[_version_key(dependency)]}" for dependency in depends]
    parts += [_argument(argument) for argument in args]
    parts += [f"{keyword}={_argument(value)}" for keyword, value in sorted(kwargs.items())]
    return f"selector:{name}:{hashlib.sha256('|'.join(parts).encode()).hexdigest()}"


def _argument(value: Any) -> str:
    identity = getattr(value, "cache_identity", None)
    if callable(identity):
        return str(identity())
    if isinstance(value, models.Model):
        return f"{value._meta.label}:{value.pk}"
    if value is None or isinstance(value, str | int | float | bool | UUID):
        return repr(value)
    raise TypeError(f"A cached selector cannot take {type(value).__name__!r} as an argument: its key would be unclear.")


def _version_key(dependency: str) -> str:
    return f"version:{dependency}"


def _counter_key(name: str, result: str) -> str:
    return f"count:{name}:{result}"


def _new_version() -> int:
    """A version no earlier entry was stored under: microseconds never repeat within a TTL."""
    return time.time_ns() // 1_000
