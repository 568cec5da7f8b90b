"""Cached selectors whose keys change with what they depend on.

`@cached("summary", ttl=5, depends=("targets", "incidents"))` keeps a selector's answer in Valkey. The key holds the
version of each dependency, read *before* the query, so a slow reader can only ever store old data under an old key.
A service calls `bump("targets")` inside its transaction; when it commits, every answer that depends on targets is
out of reach at once.

A caller who is passed as an argument is part of the key by what they may see (see `key_part`), so two people with
equal grants share an answer and two with different ones never do. Answers must not hold translated text.

Valkey is a convenience here: when it does not answer, selectors go straight to SQL. Inside a transaction they do so
too, because what is read there may never be committed.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import singledispatch, wraps
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4

import structlog
from django.core.cache import cache
from django.db import transaction
from django_redis import get_redis_connection
from prometheus_client import Counter as PrometheusCounter

from apps.core import clock
from apps.core.outages import VALKEY_ERRORS

logger = structlog.get_logger(__name__)

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

REQUESTS = PrometheusCounter(
    "portal_cache_requests_total", "Reads of cached selectors by outcome.", ["cache", "result"]
)
# Longer than any answer lives, and renewed by every bump; when one is lost, a new unique version takes its place.
_VERSION_SECONDS = 86_400
_COUNTS_SECONDS = 2 * 3_600
_FLUSH_SECONDS = 1.0
# After Valkey failed once, this process leaves it alone for a moment instead of waiting for a timeout at every read.
_REST_SECONDS = 2.0


@singledispatch
def key_part(value: object) -> str:
    """What an argument contributes to a key. Register a function for a type of your own; unknown types are an error."""
    raise TypeError(f"{type(value).__name__} cannot be part of a cache key; register it with apps.core.cache.key_part.")


@key_part.register(str)
@key_part.register(int)
@key_part.register(float)
@key_part.register(UUID)
@key_part.register(type(None))
@key_part.register(date)
@key_part.register(timedelta)
def _plain_part(value: object) -> str:
    return f"{type(value).__name__}:{value}"


@key_part.register(Enum)
def _enum_part(value: Enum) -> str:
    return f"{type(value).__name__}:{value.value}"


@key_part.register(list)
@key_part.register(tuple)
def _sequence_part(value: list[object]) -> str:
    return "[" + ",".join(key_part(item) for item in value) + "]"


def cached(
    name: str, ttl: float, depends: tuple[str, ...] = ()
) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """Keep a selector's answer for at most `ttl` seconds, and never past a `bump` of one of `depends`."""

    def decorate(selector: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @wraps(selector)
        def read(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            def parts() -> list[str]:
                named = [f"{label}={key_part(value)}" for label, value in sorted(kwargs.items())]
                return [*map(key_part, args), *named]

            return remember(name, ttl, depends, parts, lambda: selector(*args, **kwargs))

        return read

    return decorate


def remember(
    name: str, ttl: float, depends: tuple[str, ...], parts: Callable[[], list[str]], compute: Callable[[], Answer]
) -> Answer:
    """What `cached` does, for a caller that makes the parts of the key itself. Never raises for Valkey's sake."""
    if not _usable():
        _count(name, "bypass")
        return compute()
    try:
        key = _key(name, parts(), _versions(depends))
        found: tuple[Answer] | None = cache.get(key)
    except VALKEY_ERRORS as error:
        _rest(error)
        _count(name, "bypass")
        return compute()
    if found is not None:
        _count(name, "hit")
        return found[0]
    answer = compute()
    try:
        cache.set(key, (answer,), timeout=ttl)
    except VALKEY_ERRORS as error:
        _rest(error)
    _count(name, "miss")
    return answer


def bump(*names: str) -> None:
    """When the present transaction commits, put every answer that depends on one of `names` out of reach.

    Never raises: with Valkey away the answers end by their time to live.
    """

    def renew() -> None:
        try:
            cache.set_many({_version_key(name): uuid4().hex for name in names}, timeout=_VERSION_SECONDS)
        except VALKEY_ERRORS as error:
            _rest(error)

    transaction.on_commit(renew, robust=True)


def _version_key(name: str) -> str:
    return f"version:{name}"


def _versions(depends: tuple[str, ...]) -> list[str]:
    """The present version of each dependency. One that is absent gets a version that was never used before."""
    found = cache.get_many([_version_key(name) for name in depends])
    versions = []
    for name in depends:
        version = found.get(_version_key(name))
        if version is None:
            version = cache.get_or_set(_version_key(name), uuid4().hex, timeout=_VERSION_SECONDS)
        versions.append(str(version))
    return versions


def _key(name: str, parts: list[str], versions: list[str]) -> str:
    digest = hashlib.sha256("\x1f".join([*versions, "\x1e", *parts]).encode()).hexdigest()
    return f"cached:{name}:{digest}"


# --- Being away -----------------------------------------------------------------------------------------------

_resting_until = 0.0


def _usable() -> bool:
    return time.monotonic() >= _resting_until and not transaction.get_connection().in_atomic_block


def _rest(error: Exception) -> None:
    global _resting_until  # noqa: PLW0603 - one memory of it a process
    _resting_until = time.monotonic() + _REST_SECONDS
    logger.warning("cache_unreachable", error=f"{type(error).__name__}: {error}")


# --- Counting -------------------------------------------------------------------------------------------------

_pending: Counter[tuple[str, str]] = Counter()
_pending_lock = threading.Lock()
_flushed_at = 0.0


@dataclass(frozen=True)
class CacheStatistics:
    """Reads of one cached selector by every process; `hit_rate` is 0 to 1, None when it was not read."""

    name: str
    hits: int
    misses: int
    bypassed: int

    @property
    def hit_rate(self) -> float | None:
        reads = self.hits + self.misses
        return self.hits / reads if reads else None


def cache_statistics(minutes: int = 60) -> list[CacheStatistics]:
    """What every process counted in the last `minutes` (at most 60), by name. Empty when Valkey is away."""
    now = _minute()
    totals: Counter[tuple[str, str]] = Counter()
    try:
        flush_counts()
        pipeline = get_redis_connection("default").pipeline(transaction=False)
        for minute in range(now - min(minutes, 60) + 1, now + 1):
            pipeline.hgetall(_counts_key(minute))
        for counts in pipeline.execute():
            for field, number in counts.items():
                name, _, result = field.decode().rpartition(":")
                totals[name, result] += int(number)
    except VALKEY_ERRORS:
        return []
    return [
        CacheStatistics(name, totals[name, "hit"], totals[name, "miss"], totals[name, "bypass"])
        for name in sorted({name for name, _ in totals})
    ]


def flush_counts() -> None:
    """Add what this process counted to the shared counters."""
    global _flushed_at  # noqa: PLW0603 - one rhythm a process
    with _pending_lock:
        counts = dict(_pending)
        _pending.clear()
        _flushed_at = time.monotonic()
    if not counts:
        return
    key = _counts_key(_minute())
    pipeline = get_redis_connection("default").pipeline(transaction=False)
    for (name, result), number in counts.items():
        pipeline.hincrby(key, f"{name}:{result}", number)
    pipeline.expire(key, _COUNTS_SECONDS)
    pipeline.execute()


def _count(name: str, result: str) -> None:
    REQUESTS.labels(cache=name, result=result).inc()
    with _pending_lock:
        _pending[name, result] += 1
        due = time.monotonic() - _flushed_at > _FLUSH_SECONDS
    if due and result != "bypass":
        try:
            flush_counts()
        except VALKEY_ERRORS as error:
            _rest(error)


def _minute() -> int:
    return int(clock.now().timestamp() // 60)


def _counts_key(minute: int) -> str:
    return f"portal:cache-counts:{minute}"
