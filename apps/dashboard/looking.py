"""How the looking goes, region by region, as Settings → Health shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.checks.regions.selectors import RegionView
from apps.core.queues import Queue
from apps.dashboard import looking_history
from apps.dashboard.probing import is_late
from apps.dashboard.readings import Readings
from apps.dashboard.region_looks import Look, state_look

# Why an outcome that arrived was not recorded.
DROPPED: dict[str, Any] = {
    "superseded": _("It answered a claim that was over: it came twice, too late, or after an edit."),
    "check_gone": _("Its check is gone."),
    "too_old": _("It was too old."),
    "from_the_future": _("It was dated in the future."),
    "forged": _("It was not sealed with our key."),
    "malformed": _("It could not be read."),
    "unknown_region": _("It came from a region that does not exist."),
}


@dataclass(frozen=True)
class Total:
    """All enabled regions together; lateness is that of the latest, because percentiles cannot be added."""

    looks_a_second: float | None
    late_ms_p50: float | None
    late_ms_p95: float | None
    late_ms_p99: float | None
    in_flight: int | None
    free_places: int | None


def total_of(regions: Sequence[RegionView]) -> Total:
    return Total(
        looks_a_second=_sum([region.looks_a_second for region in regions]),
        late_ms_p50=_worst([region.late_ms_p50 for region in regions]),
        late_ms_p95=_worst([region.late_ms_p95 for region in regions]),
        late_ms_p99=_worst([region.late_ms_p99 for region in regions]),
        in_flight=_whole(_sum([region.in_flight for region in regions])),
        free_places=_whole(_sum([region.free_places for region in regions])),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _worst(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


@dataclass(frozen=True)
class LookingRow:
    """A region with the queue its batches wait in."""

    region: RegionView
    look: Look
    queue: Queue | None

    @property
    def is_late(self) -> bool:
        return is_late(self.region)

    @property
    def waiting(self) -> int | None:
        return None if self.queue is None else self.queue.length

    @property
    def oldest_seconds(self) -> float | None:
        return None if self.queue is None else self.queue.oldest_seconds


def load_looking_of(readings: Readings) -> dict[str, Any]:
    """The context of the panel. What cannot be read is None, and the template says so."""
    reading, valkey = readings.looking, readings.valkey
    if reading is None:
        return {"known": False}
    queues = dict(valkey.queues) if valkey is not None else {}
    rows = [LookingRow(region, state_look(region), queues.get(f"probe.{region.slug}")) for region in reading.enabled]
    recorded = reading.counters.get("recorded")
    dropped = {reason: count for reason, count in reading.counters.items() if reason != "recorded" and count}
    return {
        "known": True,
        "valkey": valkey is not None,
        "rows": rows,
        "total": total_of(reading.enabled),
        "results_per_second": looking_history.results_per_second(looking_history.read(), recorded),
        "recorded": recorded,
        "queues": sorted(queues.items()),
        "dropped": [(DROPPED.get(reason, reason), count) for reason, count in dropped.items()],
        "as_of": reading.as_of,
    }
