"""Reading regions: what the rows say, what their workers say of themselves, and what waits for them.

The rows are facts; everything from the broker is missing while it is away, and no page or answer fails for that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from apps.catalog.models import Region
from apps.checks.guards.selectors import line_of_regions
from apps.checks.models import CheckRegion
from apps.checks.regions import outcomes, vitals
from apps.checks.regions.broker import BROKER_ERRORS, broker
from apps.checks.regions.vitals import Vitals
from apps.core.queues import Queue, read_queues

logger = structlog.get_logger(__name__)

# A worker says how it is every two seconds.
SILENT_SECONDS = 15.0


class RegionState(StrEnum):
    """Whether anything looks from there. `unknown`: the broker is away, and workers are heard through it."""

    WORKING = "working"
    SILENT = "silent"
    NEVER_HEARD = "never_heard"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WorkerView:
    """One process that was heard within the last 15 s. Percentiles are of the last minute, rates of the last 10 s."""

    name: str
    host: str
    version: str
    started_at: datetime
    in_flight: int
    free_places: int
    started_per_second: float
    delivered_per_second: float
    late_ms_p50: float
    late_ms_p95: float
    late_ms_p99: float
    cpu_percent: float
    memory_bytes: int
    skew_seconds: float
    key_differs: bool
    refused: int
    unreadable: int
    waiting_for_host: int
    late_turns: int


@dataclass(frozen=True)
class RegionView:
    """One region as pages and answers show it; None is what cannot be known now.

    Sums are over its workers; lateness is that of the worst of them, because percentiles of several cannot be added.
    `checks` counts the enabled rows. `line` is "answers", "lost", "unguarded" or "unknown".
    """

    id: UUID
    slug: str
    name: str
    enabled: bool
    state: RegionState
    last_heard_at: datetime | None = None
    silent_seconds: float | None = None
    version: str | None = None
    workers: list[WorkerView] = field(default_factory=list)
    in_flight: int | None = None
    free_places: int | None = None
    looks_a_second: float | None = None
    late_ms_p50: float | None = None
    late_ms_p95: float | None = None
    late_ms_p99: float | None = None
    queue_length: int | None = None
    oldest_message_seconds: float | None = None
    skew_seconds: float | None = None
    # A process of this region was started with a key that opens nothing of what the portal sends.
    key_differs: bool = False
    checks: int = 0
    last_result_at: datetime | None = None
    line: str = "unguarded"
    line_since: datetime | None = None


def get_regions() -> list[RegionView]:
    """Every region by short name. Four queries and three round trips to the broker, however many there are."""
    regions = list(Region.objects.order_by("slug"))
    rows, lines = _rows(), line_of_regions()
    signs = _signs([region.slug for region in regions])
    views = [_view(region, rows.get(region.pk, {}), signs) for region in regions]
    return [
        replace(view, line=lines[view.id].state, line_since=lines[view.id].since) if view.id in lines else view
        for view in views
    ]


def is_served(slug: str) -> bool:
    """Whether a worker of this region was heard lately. True while the broker is away: then nobody can tell."""
    signs = _signs([slug])
    return signs is None or signs.serves(slug)


def unserved(slugs: list[str]) -> list[str]:
    """Those of these regions from which no worker was heard lately. Empty while the broker is away."""
    signs = _signs(slugs) if slugs else None
    return [] if signs is None else [slug for slug in slugs if not signs.serves(slug)]


def unserved_sentence(slug: str) -> str:
    """What to do about a region that nobody serves."""
    return _("No worker has been heard from %(region)s. Start one with: %(command)s") % {
        "region": slug,
        "command": f"python manage.py portal worker --region {slug}",
    }


def outcome_counters() -> dict[str, int]:
    """How many outcomes were `recorded`, and how many dropped, by reason. Empty while the broker is away."""
    try:
        return outcomes.read(broker())
    except BROKER_ERRORS:
        return {}


def _rows() -> dict[UUID, dict[str, Any]]:
    enabled = CheckRegion.objects.filter(enabled=True).values("region_id").order_by()
    rows = enabled.annotate(checks=Count("pk", filter=Q(passive=False)), last_result_at=Max("last_result_at"))
    return {row["region_id"]: dict(row) for row in rows}


@dataclass(frozen=True)
class _Signs:
    """What the broker knows, at its own time `now`."""

    now: float
    heard: dict[str, list[Vitals]]
    queues: dict[str, Queue]

    def alive(self, slug: str) -> list[Vitals]:
        return [one for one in self.heard[slug] if not one.stopped and self.now - one.at <= SILENT_SECONDS]

    def serves(self, slug: str) -> bool:
        return any(not one.key_differs for one in self.alive(slug))


def _signs(slugs: list[str]) -> _Signs | None:
    """None while the broker is away."""
    try:
        now, heard = vitals.read(broker(), slugs)
        return _Signs(now, heard, read_queues(broker(), [f"probe.{slug}" for slug in slugs]))
    except BROKER_ERRORS as error:
        logger.warning("regions_not_heard", error=f"{type(error).__name__}: {error}")
        return None


def _view(region: Region, row: dict[str, Any], signs: _Signs | None) -> RegionView:
    facts: dict[str, Any] = {
        "id": region.pk,
        "slug": region.slug,
        "name": region.name,
        "enabled": region.enabled,
        "checks": row.get("checks", 0),
        "last_result_at": row.get("last_result_at"),
    }
    if signs is None:
        return RegionView(**facts, state=RegionState.UNKNOWN if region.enabled else RegionState.OFF)
    alive = signs.alive(region.slug)
    return RegionView(
        **facts,
        **_heard(region, signs),
        **_together([one for one in alive if not one.key_differs]),
        workers=[_worker(one) for one in alive],
        key_differs=any(one.key_differs for one in alive),
    )


def _heard(region: Region, signs: _Signs) -> dict[str, Any]:
    right = [one for one in signs.heard[region.slug] if not one.key_differs]
    last = max((one.at for one in right), default=None)
    queue = signs.queues[f"probe.{region.slug}"]
    if not region.enabled:
        state = RegionState.OFF
    elif signs.serves(region.slug):
        state = RegionState.WORKING
    else:
        state = RegionState.NEVER_HEARD if last is None else RegionState.SILENT
    return {
        "state": state,
        "last_heard_at": None if last is None else datetime.fromtimestamp(last, UTC),
        "silent_seconds": None if last is None else max(signs.now - last, 0.0),
        "version": max(right, key=lambda one: one.at).version if right else None,
        "queue_length": queue.length,
        "oldest_message_seconds": queue.oldest_seconds,
    }


def _together(workers: list[Vitals]) -> dict[str, Any]:
    if not workers:
        return {"in_flight": 0, "free_places": 0, "looks_a_second": 0.0}
    return {
        "in_flight": sum(one.in_flight for one in workers),
        "free_places": sum(one.free_places for one in workers),
        "looks_a_second": sum(one.delivered_per_second for one in workers),
        "late_ms_p50": max(one.late_ms_p50 for one in workers),
        "late_ms_p95": max(one.late_ms_p95 for one in workers),
        "late_ms_p99": max(one.late_ms_p99 for one in workers),
        "skew_seconds": max((one.skew_seconds for one in workers), key=abs),
    }


def _worker(heard: Vitals) -> WorkerView:
    names = [name for name in WorkerView.__dataclass_fields__ if name != "started_at"]
    values = {name: getattr(heard, name) for name in names}
    return WorkerView(**values, started_at=datetime.fromtimestamp(heard.started_at, UTC))
