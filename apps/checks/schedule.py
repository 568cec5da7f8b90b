"""Scheduling: which (check, region) rows are due, and the claim that gives each to exactly one batch.

The clock is the database's. Any number of callers may claim at once: `FOR UPDATE SKIP LOCKED` gives every row to one
of them, and the generation it is given is what its result must carry to count.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.catalog.models import Region
from apps.catalog.status import Status
from apps.checks.models import Check, CheckRegion
from apps.checks.state import NOT_MEASURED
from apps.core import statements
from apps.core.clock import database_now
from apps.probes.base import PROBE_KINDS

BATCH = 200
# A lease outlives the look's own timeout by this much: the way to the worker and back. Not the longest of all that are
# claimed together, which are thousands: one slow check would keep all of them from coming back after a lost worker.
LEASE_MARGIN_SECONDS = 5
# Rows are claimed this long before they are due, so that each look starts at its own moment and not at the tick's.
AHEAD_SECONDS = 1.5
# A gap between two ticks longer than this was our downtime.
STEADY_GAP_SECONDS = 15


@dataclass(frozen=True)
class Claim:
    """One row given to us: probe it, and send the result back with this generation."""

    check_id: UUID
    generation: int
    due_at: float  # Unix seconds; the moment it should start
    kind: str
    config: str  # JSON, its secrets sealed
    timeout_seconds: float
    degraded_after_ms: int | None


def offset_of(check_id: UUID, region_id: UUID, interval_seconds: int) -> float:
    """Where in its interval a row is due: a hash of the ids, so that checks spread evenly and never drift.

    On whole seconds: looks that start together wake the engine, are handed over and are recorded together, which at
    50 a second costs half of what it costs one by one.
    """
    spread = zlib.crc32(check_id.bytes + region_id.bytes) / 2**32
    return float(int(spread * interval_seconds))


_TICK = """
    INSERT INTO checks_clock (id, ticked_at, steady_since) VALUES (1, now(), now())
    ON CONFLICT (id) DO UPDATE SET
        steady_since = CASE WHEN now() - checks_clock.ticked_at > make_interval(secs => %s)
            THEN now() ELSE checks_clock.steady_since END,
        ticked_at = now()
"""


def mark_tick() -> None:
    """Note that the portal is looking. After a gap the staleness clock of every target starts anew."""
    statements.run(_TICK, [STEADY_GAP_SECONDS])


# A row whose lease ran out twice in a row moves on along its grid: a check whose every look is lost must not be
# claimed again and again at the head of the queue.
_CLAIM = """
    WITH due AS (
        SELECT id, timeout_seconds, next_due_at FROM checks_checkregion
        WHERE enabled AND NOT passive AND region_id = %(region)s
          AND next_due_at <= now() + make_interval(secs => %(ahead)s)
          AND (lease_until IS NULL OR lease_until <= now())
        ORDER BY next_due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE checks_checkregion AS r SET
        generation = r.generation + 1,
        lease_until = now() + make_interval(secs => r.timeout_seconds + %(margin)s),
        lost_leases = CASE WHEN r.lease_until IS NULL OR r.lost_leases >= 1 THEN 0 ELSE r.lost_leases + 1 END,
        next_due_at = CASE WHEN r.lease_until IS NOT NULL AND r.lost_leases >= 1 THEN
            to_timestamp(r.offset_seconds + r.interval_seconds
                * (floor((extract(epoch FROM now()) - r.offset_seconds) / r.interval_seconds) + 1))
            ELSE r.next_due_at END
    FROM due, checks_check AS c WHERE r.id = due.id AND c.id = r.check_id
    RETURNING r.check_id, r.generation, extract(epoch FROM due.next_due_at)::float8,
              c.kind, c.config::text, c.timeout_seconds, c.degraded_after_ms
"""


def claim_due(region: UUID, limit: int = BATCH, *, ahead: float = AHEAD_SECONDS) -> list[Claim]:
    """Claim up to `limit` rows of one region that are due within `ahead` seconds. One statement; committed at once."""
    margin = LEASE_MARGIN_SECONDS + ahead
    rows = statements.run(_CLAIM, {"region": region, "limit": limit, "margin": margin, "ahead": ahead})
    return [Claim(*row) for row in rows]


_CLAIM_NOW = """
    UPDATE checks_checkregion SET
        generation = generation + 1,
        lease_until = now() + make_interval(secs => timeout_seconds + %(margin)s)
    WHERE check_id = %(check)s AND region_id = %(region)s AND enabled AND NOT passive
    RETURNING generation
"""


def claim_now(check_id: UUID, region: UUID) -> int | None:
    """Claim one row ahead of its time, because somebody asked; a look in flight for it no longer counts.

    None when the row is not scheduled (a paused check): such a look changes no status.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_NOW, {"check": check_id, "region": region, "margin": LEASE_MARGIN_SECONDS})
        row = cursor.fetchone()
        return None if row is None else int(row[0])


_GIVE_BACK = """
    UPDATE checks_checkregion SET lease_until = NULL
    WHERE check_id = %s AND region_id = %s AND generation = %s
"""


def give_back(check_id: UUID, region: UUID, generation: int) -> None:
    """End a claim whose message was never sent: the row is due as before."""
    statements.run(_GIVE_BACK, [check_id, region, generation])


# How long it was left alone stays until the look comes back: until then its last word is as old as that, not stale.
_RELEASE = """
    UPDATE checks_checkregion AS r SET next_due_at = least(r.next_due_at, now())
    FROM checks_check c
    WHERE c.id = r.check_id AND c.target_id = ANY(%s) AND (r.held_seconds > 0 OR r.reason = 'budget_spent')
"""


def release(target_ids: list[UUID]) -> None:
    """Look again now at what was left alone because it could not succeed: a key, a plan or a budget changed."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [target_ids])


_UNMEASURED = {
    "verdict": Status.UNKNOWN.value,
    "reason": NOT_MEASURED,
    "failures": 0,
    "degradations": 0,
    "successes": 0,
    "recoveries": 0,
}


def regions_of(check: Check, *, passive: bool) -> list[Region]:
    """Where it is looked at from: the regions chosen for it, else every one; only those enabled.

    A heartbeat is heard where the portal itself is, and nowhere else.
    """
    if passive:
        return list(Region.objects.filter(slug=settings.PORTAL_REGION))
    chosen = list(check.only_regions.values_list("pk", flat=True))
    enabled = Region.objects.filter(enabled=True)
    return list(enabled.filter(pk__in=chosen) if chosen else enabled)


@transaction.atomic
def sync_regions(check: Check) -> None:
    """Bring the check's schedule rows in step with it: one an enabled region, generation bumped, counters kept.

    Bumping the generation drops whatever is in flight for the check as it was before the edit. A row that was off
    begins anew: what it last saw is as old as the pause, and a status is never assumed.
    """
    active = check.enabled and check.deleted_at is None and check.target.enabled and check.target.deleted_at is None
    passive = PROBE_KINDS.get(check.kind).transport == "push"
    now = database_now()
    existing = {row.region_id: row for row in check.regions.select_for_update().order_by("id")}
    for region in regions_of(check, passive=passive):
        row = existing.pop(region.pk, None)
        fields: dict[str, Any] = {
            "enabled": active,
            "interval_seconds": check.interval_seconds,
            "retry_interval_seconds": check.retry_interval_seconds,
            "timeout_seconds": check.timeout_seconds,
            "passive": passive,
            "offset_seconds": offset_of(check.pk, region.pk, check.interval_seconds),
            "next_due_at": now,
            "lease_until": None,
            "lost_leases": 0,
            "held_seconds": 0,
        }
        if row is None:
            CheckRegion.objects.create(source_check=check, region=region, verdict_since=now, **fields)
            continue
        if active and not row.enabled:
            fields |= {**_UNMEASURED, "verdict_since": now}
        for name, value in fields.items():
            setattr(row, name, value)
        row.generation += 1
        row.save(update_fields=[*fields, "generation"])
    for row in existing.values():
        row.enabled = False
        row.generation += 1
        row.save(update_fields=["enabled", "generation"])
