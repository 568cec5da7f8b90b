"""What one worker process says of itself at each beat, from its engine, its own use of the machine, and its key."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.checks.regions.broker_clock import BrokerClock
from apps.checks.regions.vitals import Vitals

if TYPE_CHECKING:
    from apps.probes.engine import Health

# Rates are over the last beats that make up this many seconds.
RATE_SECONDS = 10.0


@dataclass(frozen=True)
class _Reading:
    """Counters at one moment (monotonic seconds)."""

    at: float
    cpu_seconds: float
    started: int
    delivered: int


class Pulse:
    """Remembers the last beats of this process, so that counters become rates."""

    def __init__(self, *, region: str, name: str, clock: BrokerClock) -> None:
        self._region = region
        self._name = name
        self._clock = clock
        self._started_at: float | None = None
        self._readings: deque[_Reading] = deque()

    def take(self, health: Health | None, *, unreadable: int, key_differs: bool, stopped: bool = False) -> Vitals:
        """The vitals of this moment; `health` is None before the first look."""
        now = self._clock.now()
        if self._started_at is None:
            self._started_at = now - _age_of_process()
        reading = _Reading(
            at=time.monotonic(),
            cpu_seconds=time.process_time(),
            started=health.started if health else 0,
            delivered=health.delivered if health else 0,
        )
        first = self._oldest(reading)
        passed = max(reading.at - first.at, 0.001)
        return Vitals(
            region=self._region,
            name=self._name,
            version=settings.VERSION,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=round(self._started_at, 3),
            at=round(now, 3),
            started_per_second=round((reading.started - first.started) / passed, 2),
            delivered_per_second=round((reading.delivered - first.delivered) / passed, 2),
            cpu_percent=round((reading.cpu_seconds - first.cpu_seconds) / passed * 100, 1),
            memory_bytes=_resident_bytes(),
            skew_seconds=round(self._clock.skew_seconds(), 3),
            unreadable=unreadable,
            key_differs=key_differs,
            stopped=stopped,
            **_of_engine(health),
        )

    def _oldest(self, reading: _Reading) -> _Reading:
        self._readings.append(reading)
        while reading.at - self._readings[0].at > RATE_SECONDS:
            self._readings.popleft()
        return self._readings[0]


def _of_engine(health: Health | None) -> dict[str, Any]:
    if health is None:
        return {"free_places": settings.PORTAL_PROBE_PLACES}
    return {
        "in_flight": health.in_flight,
        "free_places": health.free_places,
        "started": health.started,
        "delivered": health.delivered,
        "refused": health.refused,
        "waiting_for_host": health.waiting_for_host,
        "late_turns": health.late_turns,
        "late_ms_p50": health.start_late_ms_p50,
        "late_ms_p95": health.start_late_ms_p95,
        "late_ms_p99": health.start_late_ms_p99,
    }


def _age_of_process() -> float:
    """Seconds since this process began; 0 where the kernel does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        ticks = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return max(uptime - ticks / os.sysconf("SC_CLK_TCK"), 0.0)
    return 0.0


def _resident_bytes() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
