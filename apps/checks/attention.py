"""Whether the portal itself was looking: what it did not look at, it may not call silent.

A probe always comes back with an outcome, so a check that is looked at and has no fresh one is our doing: the worker
of its region is away, its line is lost, or the portal has only just come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection


@dataclass(frozen=True)
class Attention:
    """At `now` by the database's clock: since when the portal ticks without a gap, and whom it does not look at.

    `unheard`: targets in whose regions nothing at all was measured lately. `unlooked`: those of whose checks none has
    a fresh outcome; all that are unheard are among them. Paused checks and heartbeats are in neither.
    """

    now: datetime
    steady_since: datetime
    unheard: frozenset[UUID]
    unlooked: frozenset[UUID]

    def is_steady_for(self, seconds: float) -> bool:
        return self.now - self.steady_since >= timedelta(seconds=seconds)


# The rule of staleness: three intervals, half a minute at least.
_UNLOOKED = """
    WITH seen AS MATERIALIZED (
        SELECT check_id, region_id, passive, coalesce(now() - last_result_at
                   <= greatest(make_interval(secs => 3 * interval_seconds), interval '30 seconds'), false) AS fresh
        FROM checks_checkregion WHERE enabled
    ),
    heard AS (SELECT DISTINCT region_id FROM seen WHERE fresh AND NOT passive)
    SELECT c.target_id, bool_and(s.region_id NOT IN (SELECT region_id FROM heard))
    FROM seen s JOIN checks_check c ON c.id = s.check_id
    GROUP BY 1 HAVING NOT bool_or(s.fresh OR s.passive)
"""
# A portal that never ticked has not been looking.
_CLOCK = "SELECT now(), coalesce((SELECT steady_since FROM checks_clock WHERE id = 1), now())"


def get_attention() -> Attention:
    """Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOCK)
        now, steady_since = cursor.fetchone()
        cursor.execute(_UNLOOKED)
        rows = cursor.fetchall()
    unheard = frozenset(target for target, is_unheard in rows if is_unheard)
    return Attention(now, steady_since, unheard, frozenset(target for target, _ in rows))


_LONGEST_WAIT = """
    SELECT greatest(0, extract(epoch FROM now() - min(row.next_due_at)))::float8
    FROM checks_checkregion AS row JOIN catalog_region AS region ON region.id = row.region_id
    WHERE row.enabled AND NOT row.passive AND region.enabled AND (row.lease_until IS NULL OR row.lease_until <= now())
"""


def get_longest_wait_seconds() -> float | None:
    """By how much the check that waits longest for its look is late; None without checks. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST_WAIT)
        seconds: float | None = cursor.fetchone()[0]
        return seconds
