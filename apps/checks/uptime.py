"""Uptime arithmetic, from the history of states. Pure.

    uptime = (operational + degraded) / (operational + degraded + outage)

Time that is `unknown` or `maintenance` is in neither part: what nobody measured is not up and not down. With nothing
measured there is no uptime (None), never 100 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.catalog.status import Status

_UP = (Status.OPERATIONAL, Status.DEGRADED)
_MEASURED = (*_UP, Status.OUTAGE)
# The order in which a segment of mixed time is coloured: the worst thing in it, however short.
_WORST_FIRST = (Status.OUTAGE, Status.DEGRADED, Status.MAINTENANCE, Status.OPERATIONAL, Status.UNKNOWN)


@dataclass(frozen=True)
class Transition:
    """At `at` the target became `status`."""

    at: datetime
    status: Status


@dataclass(frozen=True)
class Period:
    """One stretch of one status, half-open: [start, end)."""

    start: datetime
    end: datetime
    status: Status


@dataclass(frozen=True)
class UptimeReport:
    """Seconds by status in a window, and the ratio 0..1 (None when nothing was measured)."""

    seconds: dict[Status, float] = field(default_factory=dict)

    @property
    def measured_seconds(self) -> float:
        return sum(self.seconds.get(status, 0.0) for status in _MEASURED)

    @property
    def ratio(self) -> float | None:
        measured = self.measured_seconds
        if measured <= 0:
            return None
        return sum(self.seconds.get(status, 0.0) for status in _UP) / measured


def periods(initial: Status, transitions: Sequence[Transition], start: datetime, end: datetime) -> Iterator[Period]:
    """The window [start, end) cut into stretches. `initial` is the status at `start`; transitions are in time order
    and may lie outside the window."""
    status, since = initial, start
    for transition in transitions:
        if transition.at <= start:
            status = transition.status
            continue
        if transition.at >= end:
            break
        if transition.status is not status:
            yield Period(since, transition.at, status)
            status, since = transition.status, transition.at
    if since < end:
        yield Period(since, end, status)


def report(initial: Status, transitions: Sequence[Transition], start: datetime, end: datetime) -> UptimeReport:
    """Seconds in each status over the window."""
    seconds: dict[Status, float] = {}
    for period in periods(initial, transitions, start, end):
        seconds[period.status] = seconds.get(period.status, 0.0) + (period.end - period.start).total_seconds()
    return UptimeReport(seconds)


@dataclass(frozen=True)
class Segment:
    """One slice of a history bar: what was worst in it, and the seconds of each status."""

    start: datetime
    end: datetime
    status: Status
    seconds: dict[Status, float]


def segments(
    initial: Status, transitions: Sequence[Transition], start: datetime, end: datetime, count: int
) -> list[Segment]:
    """The window in `count` equal slices. A slice shows its worst status; it is `unknown` only when all of it is."""
    width = (end - start) / count
    slices = [(start + width * position, start + width * (position + 1)) for position in range(count)]
    totals: list[dict[Status, float]] = [{} for _ in slices]
    for period in periods(initial, transitions, start, end):
        _share(period, start, width, totals)
    return [
        Segment(begin, finish, next((status for status in _WORST_FIRST if status in total), Status.UNKNOWN), total)
        for (begin, finish), total in zip(slices, totals, strict=True)
    ]


def _share(period: Period, start: datetime, width: timedelta, totals: list[dict[Status, float]]) -> None:
    """Add one period's seconds to every slice it touches."""
    first = max(0, int((period.start - start) / width))
    last = min(len(totals) - 1, int((period.end - start) / width))
    for position in range(first, last + 1):
        begin, finish = start + width * position, start + width * (position + 1)
        overlap = (min(period.end, finish) - max(period.start, begin)).total_seconds()
        if overlap > 0:
            totals[position][period.status] = totals[position].get(period.status, 0.0) + overlap
