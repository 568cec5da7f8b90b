"""How the looking went over the last hour: one point every 15 seconds in Valkey, written at the tick.

Each point is a key of its own named after its quarter of a minute, with a time to live: the series is bounded by
itself, several writers agree without a lock, and losing it loses no fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.checks.regions.broker import BROKER_ERRORS, broker
from apps.checks.regions.selectors import RegionView
from apps.core import clock
from apps.dashboard.probing import LATE_MILLISECONDS
from apps.dashboard.readings import LookingReading

EVERY_SECONDS = 15
POINTS = 240
# More lines than these cannot be told apart; the regions that are latest are drawn.
MOST_LINES = 4
# A rate needs two counts that lie apart.
_SHORTEST_SECONDS = 5.0


class Region(msgspec.Struct, frozen=True, array_like=True):
    """One region at one moment; None where nobody was heard."""

    late_ms_p95: float | None
    looks_a_second: float | None


class Point(msgspec.Struct, frozen=True):
    """One moment (Unix seconds): outcomes recorded until then, and the regions by short name."""

    at: float
    recorded: int | None
    regions: dict[str, Region]


def _key(quarter: int) -> str:
    return f"portal:looking:{quarter}"


def quarter_of(seconds: float) -> int:
    return int(seconds // EVERY_SECONDS)


def is_written(quarter: int) -> bool:
    """Whether somebody has written this point already, or nobody can: then there is nothing to do."""
    try:
        return bool(broker().exists(_key(quarter)))
    except BROKER_ERRORS:
        return True


def write(reading: LookingReading) -> None:
    """Write the point of this moment, unless it is there. Valkey away: the point stays a gap."""
    now = clock.now().timestamp()
    # Who is not heard has no figures: a gap, never a zero.
    heard = [region for region in reading.enabled if region.workers]
    regions = {region.slug: Region(region.late_ms_p95, region.looks_a_second) for region in heard}
    point = Point(now, reading.counters.get("recorded"), regions)
    try:
        broker().set(_key(quarter_of(now)), msgspec.json.encode(point), nx=True, ex=EVERY_SECONDS * (POINTS + 4))
    except BROKER_ERRORS:
        return


def read() -> list[Point | None]:
    """The last hour, oldest first; None where nothing was written. Empty while Valkey is away. One round trip."""
    last = quarter_of(clock.now().timestamp())
    try:
        found: list[Any] = broker().mget([_key(quarter) for quarter in range(last - POINTS + 1, last + 1)])
    except BROKER_ERRORS:
        return []
    return [_decoded(text) for text in found]


def _decoded(text: bytes | None) -> Point | None:
    try:
        return None if text is None else msgspec.json.decode(text, type=Point)
    except msgspec.DecodeError:
        return None


def results_per_second(points: Sequence[Point | None], recorded: int | None) -> float | None:
    """Outcomes recorded a second, from the counter now and the newest point that is old enough; None: not known."""
    now = clock.now().timestamp()
    for point in reversed(points[-4:]):
        if point is not None and point.recorded is not None and now - point.at >= _SHORTEST_SECONDS:
            # A counter that went back was lost with the Valkey that held it.
            known = recorded is not None and recorded >= point.recorded
            return ((recorded or 0) - point.recorded) / (now - point.at) if known else None
    return None


# --- As charts read it ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    """Which figure of a region, in which unit, and the line above which it is too much."""

    field: str
    unit: str
    threshold: float | None = None


CHARTS = {
    "lateness": Chart("late_ms_p95", "ms", LATE_MILLISECONDS),
    "looks": Chart("looks_a_second", "/s"),
}


def document(chart: Chart, regions: Iterable[RegionView]) -> dict[str, Any]:
    """The chart's data, a line a region: those where it is most now, when there are many."""
    points = read()
    last = quarter_of(clock.now().timestamp())
    times = [(last - len(points) + 1 + position) * EVERY_SECONDS for position in range(len(points))]
    names = [region.slug for region in regions if region.enabled]
    lines = [{"key": name, "label": name, "values": _values(points, name, chart)} for name in names]
    lines = sorted(lines, key=_weight, reverse=True)[:MOST_LINES]
    threshold = {"value": chart.threshold, "label": _("too late"), "status": "degraded"}
    return {
        "unit": pgettext("looks a second", "/s") if chart.unit == "/s" else chart.unit,
        "from": (last - POINTS) * EVERY_SECONDS,
        "to": last * EVERY_SECONDS,
        "times": times,
        "lines": lines,
        "thresholds": [threshold] if chart.threshold is not None else [],
        "empty": _("No worker was heard from in the last hour."),
    }


def _values(points: Sequence[Point | None], name: str, chart: Chart) -> list[float | None]:
    found = [point.regions.get(name) if point is not None else None for point in points]
    values = [None if region is None else getattr(region, chart.field) for region in found]
    return [None if value is None else round(value, 2) for value in values]


def _weight(line: dict[str, Any]) -> float:
    """By the highest value of the last minutes, so that lines do not change places with every point."""
    return max((value for value in line["values"][-20:] if value is not None), default=-1.0)
