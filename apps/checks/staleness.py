"""Staleness: a verdict nobody confirmed for too long is unknown again, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.catalog.status import Status
from apps.checks import settling, state
from apps.checks.board import Board
from apps.checks.models import Clock
from apps.core import statements
from apps.core.clock import database_moment

# The same rule as `state.is_stale`, as a cheap question to one table; the pure function has the last word.
_STALE_TARGETS = """
    WITH stale AS MATERIALIZED (
        SELECT r.check_id FROM checks_checkregion r CROSS JOIN checks_clock k
        WHERE r.enabled AND NOT r.passive AND r.verdict <> 'unknown'
          AND now() - greatest(coalesce(r.last_result_at, r.verdict_since), k.steady_since)
              > greatest(make_interval(secs => 3 * greatest(r.interval_seconds, r.held_seconds)), interval '30 seconds')
        LIMIT %s
    )
    SELECT DISTINCT c.target_id FROM checks_check c WHERE c.id IN (SELECT check_id FROM stale)
"""


def find_stale_targets(limit: int = 500) -> list[UUID]:
    """Targets with a verdict nobody confirmed for too long, at most those of `limit` rows."""
    return [row[0] for row in statements.run(_STALE_TARGETS, [limit])]


@transaction.atomic
def mark_stale(target_ids: list[UUID]) -> int:
    """Turn stale verdicts of these targets into `unknown`; returns the number of statuses that changed."""
    board = Board.load(target_ids)
    now = database_moment()
    steady_since = Clock.objects.values_list("steady_since", flat=True).get()
    for check in board.checks.values():
        for row in check.regions:
            if row.passive or row.state.verdict is Status.UNKNOWN:
                continue
            measured_at: datetime = row.last_result_at or row.state.since or now
            if state.is_stale(measured_at, steady_since, now, max(row.interval_seconds, row.held_seconds)):
                row.state = replace(
                    row.state,
                    verdict=Status.UNKNOWN,
                    since=now,
                    reason=state.STALE,
                    failures=0,
                    degradations=0,
                    successes=0,
                    recoveries=0,
                )
                row.changed = True
    return len(settling.settle(board, now))
