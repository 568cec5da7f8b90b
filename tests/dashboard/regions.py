"""Builders for stories about regions: a worker that was heard, and a schedule it has work in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import cache

from apps.catalog.models import Region
from apps.checks.regions import vitals
from apps.checks.regions.broker import broker
from apps.checks.regions.vitals import Vitals


def make_region(slug: str, name: str = "", **fields: Any) -> Region:
    return Region.objects.get_or_create(slug=slug, defaults={"name": name or slug.capitalize(), **fields})[0]


def hear(region: str, *, ago: float = 0.0, **fields: Any) -> Vitals:
    """A worker of `region` said how it is, `ago` seconds ago."""
    now = time.time()
    values: dict[str, Any] = {
        "name": f"{region}-host-1",
        "version": settings.VERSION,
        "host": f"{region}-host",
        "pid": 1,
        "started_at": now - 3600,
        "at": now - ago,
        "in_flight": 7,
        "free_places": 493,
        "started_per_second": 12.5,
        "delivered_per_second": 12.5,
        "late_ms_p50": 3.0,
        "late_ms_p95": 42.0,
        "late_ms_p99": 90.0,
        "cpu_percent": 8.5,
        "memory_bytes": 61_000_000,
        **fields,
    }
    heard = Vitals(region=region, **values)
    vitals.write(broker(), heard)
    cache.clear()
    return heard


def forget_workers() -> None:
    """Nobody was heard, nothing was counted, and no answer is remembered."""
    for pattern in ("portal:worker:vitals:*", "portal:outcomes:*", "portal:looking:*", "portal:processes"):
        for key in broker().scan_iter(match=pattern):
            broker().delete(key)
    cache.clear()


@contextmanager
def quiet_broker() -> Iterator[None]:
    """Nothing of another story before, nothing of this one after."""
    forget_workers()
    try:
        yield
    finally:
        forget_workers()
