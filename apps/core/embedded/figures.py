"""What each of the launcher's children costs: CPU and memory, written where the pages read it.

The launcher knows the process ids, so it looks: a few small files of /proc every five seconds. CPU is in per cent of
one core. Memory is what belongs to each process of a child, plus what they share, counted once: the pages that a
hundred database sessions map a hundred times are one memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.embedded.broker import broker_client

PROCESSES_KEY = "portal:processes"
# The figures outlive a restart of their writer and not much more: old ones must not pass for new.
KEPT_SECONDS = 60
EVERY_SECONDS = 5.0
LAUNCHER = "launcher"

_KIB = 1024
# Of /proc/PID/stat, counted after the command name: own user and system time, then those of children that ended.
_TIMES = slice(11, 15)
_OWN_TIMES = slice(11, 13)


@dataclass(frozen=True)
class Usage:
    """What one process and all its descendants have used: CPU seconds so far, memory in bytes at present."""

    cpu_seconds: float
    memory_bytes: int
    processes: int


def usage_of(pid: int) -> Usage | None:
    """The usage of a process and its descendants; None when it is gone.

    A descendant that ended is in its parent's books, so the CPU time only ever grows.
    """
    seconds, private, shared, count = 0.0, 0, 0, 0
    for member in _tree(pid):
        times, memory = _cpu_seconds(member, _TIMES), _memory(member)
        if times is None or memory is None:
            continue
        seconds, count = seconds + times, count + 1
        private, shared = private + memory[0], max(shared, memory[1])
    return Usage(seconds, private + shared, count) if count else None


def own_usage() -> Usage | None:
    """The usage of this very process, without what its children did."""
    seconds, memory = _cpu_seconds(os.getpid(), _OWN_TIMES), _memory(os.getpid())
    return Usage(seconds, sum(memory), 1) if seconds is not None and memory is not None else None


def _tree(pid: int) -> Iterable[int]:
    waiting = [pid]
    while waiting:
        member = waiting.pop()
        yield member
        with contextlib.suppress(OSError, ValueError):
            children = Path(f"/proc/{member}/task/{member}/children").read_text()
            waiting.extend(int(child) for child in children.split())


def _cpu_seconds(pid: int, fields: slice) -> float | None:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(word) for word in words[fields]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def _memory(pid: int) -> tuple[int, int] | None:
    """Bytes that are the process's own, and bytes it may share (files and shared memory)."""
    private = shared = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "RssAnon":
                private = int(rest.split()[0]) * _KIB
            elif name in {"RssFile", "RssShmem"}:
                shared += int(rest.split()[0]) * _KIB
    except (OSError, ValueError, IndexError):
        return None
    return private, shared


class Rates:
    """Turns what was used so far into what is used now, from one look to the next."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, float, float]] = {}

    def percent(self, name: str, pid: int, cpu_seconds: float, now: float) -> float | None:
        """CPU in per cent of one core since the look before; None at the first look at a process. `now` in seconds."""
        known = self._before.get(name)
        self._before[name] = (pid, cpu_seconds, now)
        if known is None or known[0] != pid or now <= known[2]:
            return None
        return max(0.0, (cpu_seconds - known[1]) / (now - known[2]) * 100)


class ProcessFigures:
    """Every five seconds one JSON value in Redis or Valkey under `portal:processes`.

    Its shape: `{"at": unix seconds, "processors": number, "processes": {name: {"pid", "cpu_percent" or null,
    "memory_bytes", "processes"}}}`. A server that runs elsewhere is simply not in it.
    """

    def __init__(self, redis_url: str, pids: Callable[[], Mapping[str, int]]) -> None:
        self._client = broker_client(redis_url)
        self._pids = pids
        self._rates = Rates()
        self._next_look = 0.0

    def look(self) -> None:
        """Write the figures when it is time. A store that does not answer goes without."""
        from redis import RedisError  # noqa: PLC0415 - as in the watchdog

        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + EVERY_SECONDS
        content = {"at": time.time(), "processors": os.cpu_count() or 1, "processes": self._figures()}
        with contextlib.suppress(RedisError, OSError):
            self._client.set(PROCESSES_KEY, json.dumps(content), ex=KEPT_SECONDS)

    def _figures(self) -> dict[str, dict[str, Any]]:
        looked = [(name, pid, usage_of(pid)) for name, pid in self._pids().items()]
        looked.append((LAUNCHER, os.getpid(), own_usage()))
        now = time.monotonic()
        return {
            name: {
                "pid": pid,
                "cpu_percent": _rounded(self._rates.percent(name, pid, usage.cpu_seconds, now)),
                "memory_bytes": usage.memory_bytes,
                "processes": usage.processes,
            }
            for name, pid, usage in looked
            if usage is not None
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
