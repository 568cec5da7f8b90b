"""What becomes of a claimed look that may not go out: due again in a moment, or unknown until there is money."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from django.db import transaction

from apps.catalog.status import Status
from apps.checks import settling, state
from apps.checks.board import Board
from apps.checks.schedule import Claim
from apps.core import statements
from apps.core.clock import database_moment

# Not all at the same moment: they wait for the same few places.
SOONEST_SECONDS = 2.0
LATEST_SECONDS = 5.0

# The claim is given back, so that the next one finds no lost lease. In id order, as everybody locks these rows.
_PUT_OFF = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::float8[]) AS v(check_id, generation, seconds)
    ), rows AS (
        SELECT r.id, given.seconds FROM checks_checkregion r
        JOIN given ON given.check_id = r.check_id AND given.generation = r.generation
        WHERE r.region_id = %s ORDER BY r.id FOR UPDATE OF r
    )
    UPDATE checks_checkregion AS r SET
        lease_until = NULL, lost_leases = 0, next_due_at = now() + make_interval(secs => rows.seconds)
    FROM rows WHERE r.id = rows.id
"""


def put_off(region: UUID, claims: Sequence[Claim]) -> None:
    """Due again in a few seconds, as if never claimed. One statement."""
    seconds = [random.uniform(SOONEST_SECONDS, LATEST_SECONDS) for _ in claims]  # noqa: S311 - spreads, hides nothing
    generations = [claim.generation for claim in claims]
    statements.run(_PUT_OFF, [[claim.check_id for claim in claims], generations, seconds, region])


@transaction.atomic
def refuse(region: UUID, claims: Sequence[Claim], month: date) -> None:
    """Unknown, because the budget is spent: nothing is known of what nobody may look at. Next time on their grid.

    A check that was edited meanwhile has another generation, and is left alone.
    """
    board = Board.load_for_checks({claim.check_id for claim in claims})
    now = board.locked_at or database_moment()
    for claim in claims:
        row = board.region(claim.check_id, region)
        if row is None or not row.claimed or row.generation != claim.generation:
            continue
        row.state = state.RegionState(
            verdict=Status.UNKNOWN, since=_since(row.state, month, now), reason=state.BUDGET_SPENT
        )
        row.changed, row.measured, row.claimed, row.in_doubt = True, True, False, False
        row.held_seconds = 0
    settling.settle(board, now)


def _since(before: state.RegionState, month: date, now: datetime) -> datetime:
    """Since when it may not look: of this month, because each has its own money."""
    began = datetime.combine(month, time(), UTC)
    if before.reason == state.BUDGET_SPENT and before.since is not None and before.since >= began:
        return before.since
    return now
