"""The life signs of probe workers: what each process says of itself, every two seconds, in the broker.

A worker has no database, so the broker is where it can be heard. Losing what is kept there loses no fact: the next
beat brings it back, except for how long a region has been silent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from redis import Redis

from apps.checks.regions.broker import seconds

# What a process says is kept this long, so that a region that stopped last week still says when.
KEPT_SECONDS = 7 * 86_400
# Each start of a worker is a process of its own: of those of one region, this many are kept, the last heard first.
KEPT_PROCESSES = 16


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process. Times are Unix seconds by the broker's clock; `started` and `delivered` count looks.

    `skew_seconds` is by how much the clock of its machine is ahead of the broker's. `key_differs`: it cannot open what
    the portal seals. `refused` counts looks its engine had no room for, `unreadable` messages it could not open.
    """

    region: str
    name: str
    version: str
    host: str
    pid: int
    started_at: float
    at: float
    in_flight: int = 0
    free_places: int = 0
    started: int = 0
    delivered: int = 0
    refused: int = 0
    unreadable: int = 0
    waiting_for_host: int = 0
    late_turns: int = 0
    started_per_second: float = 0.0
    delivered_per_second: float = 0.0
    late_ms_p50: float = 0.0
    late_ms_p95: float = 0.0
    late_ms_p99: float = 0.0
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    skew_seconds: float = 0.0
    key_differs: bool = False
    stopped: bool = False


def key_of(region: str, name: str) -> str:
    return f"portal:worker:vitals:{region}:{name}"


def processes_key(region: str) -> str:
    """A sorted set: the processes of a region by when they were last heard."""
    return f"portal:worker:vitals:{region}"


# In one step, so that a process that is left out leaves nothing behind.
_WRITE = """
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local old = redis.call('ZRANGE', KEYS[1], 0, -(tonumber(ARGV[5]) + 1))
for _, name in ipairs(old) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('DEL', KEYS[1] .. ':' .. name)
end
"""


def write(client: Redis, vitals: Vitals) -> None:
    """Say it. Raises the errors of the broker."""
    client.eval(
        _WRITE,
        2,
        processes_key(vitals.region),
        key_of(vitals.region, vitals.name),
        vitals.name,
        msgspec.json.encode(vitals),
        vitals.at,
        KEPT_SECONDS,
        KEPT_PROCESSES,
    )


def read(client: Redis, regions: Iterable[str]) -> tuple[float, dict[str, list[Vitals]]]:
    """The broker's time, and what was last heard, by region, latest first.

    Two round trips; raises the errors of the broker.
    """
    slugs = list(regions)
    pipeline = client.pipeline(transaction=False)
    pipeline.time()
    for slug in slugs:
        pipeline.zrange(processes_key(slug), 0, KEPT_PROCESSES - 1, desc=True)
    time, *names = pipeline.execute()
    keys = [
        (slug, key_of(slug, name.decode(errors="replace")))
        for slug, of_region in zip(slugs, names, strict=True)
        for name in of_region
    ]
    values: list[Any] = client.mget([key for _slug, key in keys]) if keys else []
    heard: dict[str, list[Vitals]] = {slug: [] for slug in slugs}
    for (slug, _key), value in zip(keys, values, strict=True):
        vitals = _decoded(value)
        if vitals is not None:
            heard[slug].append(vitals)
    return seconds(time), heard


def _decoded(value: bytes | None) -> Vitals | None:
    """None for what is gone, or was written by something else."""
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=Vitals)
    except msgspec.DecodeError:
        return None
