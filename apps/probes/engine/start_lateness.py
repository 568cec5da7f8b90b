"""How late looks start, as percentiles over the last minute, at a cost that does not grow with their number.

Starts are counted into buckets of a fixed logarithmic scale, one row of buckets per ten seconds. Six rows are kept, so
a minute of 6,000 starts a second takes the room of 400 numbers.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import NamedTuple

_SLOT_SECONDS = 10.0
_SLOTS = 6
# Upper bounds in seconds, each a fifth above the one before: 0.1 ms to about 150 s, and one bucket for what is beyond.
_BOUNDS = tuple(0.0001 * 1.2**step for step in range(79))


class Percentiles(NamedTuple):
    """Milliseconds; 0 when nothing started."""

    p50: float
    p95: float
    p99: float


class StartLateness:
    """Written by one loop, read by anybody."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: dict[int, list[int]] = {}
        # How many looks began in all.
        self.started = 0

    def add(self, seconds: float) -> None:
        """A look began this much after its moment."""
        self.started += 1
        number = int(self._clock() // _SLOT_SECONDS)
        counts = self._slots.get(number)
        if counts is None:
            counts = [0] * (len(_BOUNDS) + 1)
            # A new dictionary, because somebody may be reading the old one.
            self._slots = {slot: kept for slot, kept in self._slots.items() if slot > number - _SLOTS} | {
                number: counts
            }
        counts[bisect_left(_BOUNDS, seconds)] += 1

    def counts(self) -> list[int]:
        """Starts of the last minute by bucket."""
        oldest = int(self._clock() // _SLOT_SECONDS) - _SLOTS
        recent = [counts for slot, counts in self._slots.items() if slot > oldest]
        return [sum(column) for column in zip(*recent, strict=True)] or [0] * (len(_BOUNDS) + 1)


def percentiles(recorded: Iterable[StartLateness]) -> Percentiles:
    """The lateness of all these loops together."""
    counts = [sum(column) for column in zip(*(one.counts() for one in recorded), strict=True)]
    return Percentiles(*(_percentile(counts, share) for share in (0.5, 0.95, 0.99)))


def _percentile(counts: list[int], share: float) -> float:
    """Where in its bucket the wanted start lies is not known: they are taken to be spread evenly."""
    wanted = sum(counts) * share
    if not wanted:
        return 0.0
    seen = 0
    for bucket, count in enumerate(counts):
        if count and seen + count >= wanted:
            low = _BOUNDS[bucket - 1] if bucket else 0.0
            high = _BOUNDS[bucket] if bucket < len(_BOUNDS) else low
            return round((low + (high - low) * (wanted - seen) / count) * 1000, 2)
        seen += count
    return 0.0
