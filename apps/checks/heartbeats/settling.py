"""Settling pings: from the inbox to the history, in the transaction that decides what follows from them.

One settler works at a time, so that pings are judged in the order in which they came; the others find nothing to do.
The number of statements does not depend on the number of pings, and their bodies never leave the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.checks.board import Board
from apps.checks.heartbeats.hearing import NEVER, Case, Hearing
from apps.checks.heartbeats.judging import BODY_TAIL, Told, judge_ping, judge_silence
from apps.checks.models import Clock
from apps.core import statements
from apps.core.clock import database_moment
from apps.core.ids import uuid7

logger = structlog.get_logger(__name__)

SETTLED_AT_ONCE = 1_000
OVERDUE_AT_ONCE = 500
# A heartbeat whose silence could not be judged is asked about again after this long.
NOT_JUDGED_AGAIN = timedelta(minutes=5)
# What one tick may spend on each of the two: the next comes in a second.
TICK_SECONDS = 0.5


def settle_waiting() -> int:
    """Settle pings until none waits or the tick's time is over; returns how many there were."""
    return _until_done(settle_pings, SETTLED_AT_ONCE)


def judge_overdue() -> int:
    """Judge silence until no heartbeat is overdue or the tick's time is over; returns how many were looked at."""
    return _until_done(_judge_some, OVERDUE_AT_ONCE)


def _until_done(step: Callable[[int], int], at_once: int) -> int:
    started, total = time.monotonic(), 0
    while True:
        done = step(at_once)
        total += done
        if done < at_once or time.monotonic() - started > TICK_SECONDS:
            return total


# --- Pings ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row of the inbox, without the body of a success."""

    id: int
    check_id: UUID
    told: Told


@transaction.atomic
def settle_pings(limit: int = SETTLED_AT_ONCE) -> int:
    """Settle up to `limit` waiting pings, oldest first; returns how many there were (0 while another settles)."""
    waiting = _take(limit)
    if not waiting:
        return 0
    check_ids = {ping.check_id for ping in waiting}
    board = Board.load_for_checks(check_ids)
    now = board.locked_at or database_moment()
    hearing = Hearing.load(board, check_ids)
    run_ms = {ping.id: _judge(hearing, ping) for ping in waiting if ping.check_id in hearing.cases}
    hearing.write(now)
    _move_to_history([ping.id for ping in waiting], run_ms)
    return len(waiting)


def _judge(hearing: Hearing, ping: _Waiting) -> float | None:
    """What one ping means; returns how long its run took. One that cannot be judged must not hold up the others."""
    case = hearing.cases[ping.check_id]
    try:
        judgement = judge_ping(case.heard, case.config, ping.told)
    except Exception:
        logger.exception("ping_not_judged", check=str(ping.check_id))
        return None
    case.heard = judgement.heard
    if judgement.outcome is not None:
        hearing.find(case, ping.told.at, judgement.outcome)
    return judgement.run_ms


# Asked for first: rows taken without it could be judged before older ones that somebody else holds.
_ALONE = """
    SELECT pg_try_advisory_xact_lock(hashtext('checks_pinginbox'))
    FROM (SELECT 1 FROM checks_pinginbox LIMIT 1) AS any_ping
"""

_TAKE = """
    SELECT id, check_id, at, kind, exit_status, run_id, said_ms,
           CASE WHEN kind = 'fail' OR exit_status > 0
                THEN substring(body FROM greatest(1, octet_length(body) - %(tail)s + 1)) ELSE ''::bytea END
    FROM checks_pinginbox ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""


def _take(limit: int) -> list[_Waiting]:
    if statements.run(_ALONE) != [(True,)]:
        return []
    rows = statements.run(_TAKE, {"limit": limit, "tail": BODY_TAIL})
    return sorted((_waiting(row) for row in rows), key=lambda ping: (ping.told.at, ping.id))


def _waiting(row: tuple[Any, ...]) -> _Waiting:
    identifier, check_id, at, kind, exit_status, run_id, said_ms, body = row
    told = Told(at=at, kind=kind, exit_status=exit_status, run_id=run_id, said_ms=said_ms, body=bytes(body))
    return _Waiting(identifier, check_id, told)


_MOVE = """
    WITH gone AS (
        DELETE FROM checks_pinginbox AS i
        USING unnest(%b::bigint[], %b::uuid[], %b::float8[]) AS v(waiting_id, id, run_ms)
        WHERE i.id = v.waiting_id
        RETURNING i.at, v.id AS ping_id, i.check_id, i.kind, i.exit_status, i.run_id, i.said_ms, v.run_ms,
                  i.method, i.dialect, i.address, i.user_agent, i.body, i.body_bytes
    )
    INSERT INTO checks_ping (at, id, check_id, kind, exit_status, run_id, said_ms, run_ms,
                             method, dialect, address, user_agent, body, body_bytes)
    SELECT * FROM gone
"""


def _move_to_history(ids: list[int], run_ms: dict[int, float | None]) -> None:
    statements.run(_MOVE, [ids, [uuid7() for _ in ids], [run_ms.get(identifier) for identifier in ids]])


# --- Silence --------------------------------------------------------------------------------------------------

# A second late: a ping that was told in time may still be on its way into the inbox.
_OVERDUE = """
    SELECT r.check_id FROM checks_checkregion r
    WHERE r.passive AND r.enabled AND r.next_due_at <= now() - interval '1 second'
      AND NOT EXISTS (SELECT 1 FROM checks_pinginbox i WHERE i.check_id = r.check_id)
    ORDER BY r.next_due_at LIMIT %s
"""


def _judge_some(limit: int) -> int:
    """Judge the silence of up to `limit` heartbeats whose deadline has passed; returns how many there were."""
    overdue = [row[0] for row in statements.run(_OVERDUE, [limit])]
    if overdue:
        _judge_silence(overdue)
    return len(overdue)


@transaction.atomic
def _judge_silence(overdue: list[UUID]) -> None:
    board = Board.load_for_checks(overdue)
    now = board.locked_at or database_moment()
    steady_since = Clock.objects.values_list("steady_since", flat=True).first() or now
    hearing = Hearing.load(board, overdue)
    told = _told_meanwhile(overdue)
    for check_id, case in hearing.cases.items():
        if check_id not in told:
            _judge_one(hearing, case, now, steady_since)
    hearing.write(now)


def _judge_one(hearing: Hearing, case: Case, now: datetime, steady_since: datetime) -> None:
    try:
        silence = judge_silence(case.heard, case.config, now, steady_since)
    except Exception:  # one schedule that nobody can keep to must not keep the others from being missed
        logger.exception("silence_not_judged", check=str(case.check.id))
        case.again_at = now + NOT_JUDGED_AGAIN
        return
    case.heard = silence.heard
    case.again_at = silence.again_at or NEVER
    for outcome in silence.outcomes:
        hearing.find(case, now, outcome)


def _told_meanwhile(check_ids: list[UUID]) -> set[UUID]:
    """Those that a ping waits for: it was told before we said that it was missing."""
    rows = statements.run("SELECT DISTINCT check_id FROM checks_pinginbox WHERE check_id = ANY(%b)", [check_ids])
    return {row[0] for row in rows}
