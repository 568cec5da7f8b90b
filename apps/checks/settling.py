"""Settling: decide every check and target of a board, and write what changed, in a fixed number of statements.

Statuses, changes and incidents are written together in the caller's transaction, so a page never shows a status
whose change or incident is missing. News goes out when it commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from apps.catalog.status import Status
from apps.checks import incidents, state
from apps.checks.board import Board, CheckRow, RegionRow, TargetRow
from apps.checks.models import StateChange
from apps.core import cache, statements
from apps.core.ids import uuid7
from apps.core.news import News, announce_all


@dataclass(frozen=True)
class Change:
    """A target's change of status, before it is a row."""

    target: TargetRow
    from_status: Status
    decision: state.TargetDecision
    # The check that caused it; for a recovery, the one that had caused what is over now.
    check: UUID | None
    evidence: dict[str, Any]


def settle(board: Board, at: datetime) -> list[Change]:
    """Decide and write everything on the board; returns the changes of status. `at` is the database's now."""
    _write_regions(board)
    _decide_checks(board, at)
    changes = _decide_targets(board, at)
    steps = incidents.follow(board, _rows_of(changes, at), at)
    if changes or steps:
        cache.bump("targets", "incidents")
    announce_all(
        [
            News("target.status", (change.target.id,), change.target.environment_id, at)
            for change in changes
            if not change.target.deleted
        ]
    )
    return changes


# Rows are claimed a moment ahead, and the broker's clock, by which looks start, may be ahead of the database's:
# a result that is here before its own moment must not make that moment due once more.
_REGIONS = """
    UPDATE checks_checkregion AS r SET
        verdict = v.verdict, verdict_since = v.since, reason = v.reason,
        failures = v.failures, degradations = v.degradations, successes = v.successes, recoveries = v.recoveries,
        last_result_at = v.last_result_at,
        lease_until = CASE WHEN v.measured THEN NULL ELSE r.lease_until END,
        lost_leases = CASE WHEN v.measured THEN 0 ELSE r.lost_leases END,
        held_seconds = v.held_seconds,
        next_due_at = CASE WHEN v.measured AND v.held_seconds > 0 THEN now() + make_interval(secs => v.held_seconds)
            WHEN v.measured THEN least(
            to_timestamp(r.offset_seconds + r.interval_seconds
                * (floor((extract(epoch FROM greatest(now(), least(r.next_due_at, now() + interval '2 seconds')))
                    - r.offset_seconds) / r.interval_seconds) + 1)),
            CASE WHEN v.in_doubt THEN now() + make_interval(secs => r.retry_interval_seconds) END)
            ELSE r.next_due_at END
    FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[],
                %s::timestamptz[], %s::boolean[], %s::boolean[], %s::int[])
        AS v(id, verdict, since, reason, failures, degradations, successes, recoveries, last_result_at, measured,
             in_doubt, held_seconds)
    WHERE r.id = v.id
"""


def _write_regions(board: Board) -> None:
    changed: list[RegionRow] = [row for check in board.checks.values() for row in check.regions if row.changed]
    if not changed:
        return
    columns: list[list[Any]] = [
        [row.id for row in changed],
        [row.state.verdict.value for row in changed],
        [row.state.since for row in changed],
        [row.state.reason for row in changed],
        [row.state.failures for row in changed],
        [row.state.degradations for row in changed],
        [row.state.successes for row in changed],
        [row.state.recoveries for row in changed],
        [row.last_result_at for row in changed],
        [row.measured for row in changed],
        [row.in_doubt for row in changed],
        [row.held_seconds for row in changed],
    ]
    statements.run(_REGIONS, columns)


_CHECKS = """
    INSERT INTO checks_checkstatus AS k (check_id, verdict, since, reason)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[])
    ON CONFLICT (check_id) DO UPDATE SET verdict = excluded.verdict, since = excluded.since, reason = excluded.reason
"""


def _decide_checks(board: Board, at: datetime) -> None:
    changed: list[CheckRow] = []
    for check in board.checks.values():
        votes = [state.RegionVerdict(row.state.verdict, row.state.reason, row.state.since) for row in check.regions]
        decision = state.decide_check(check.decision, votes, check.policy)
        if decision == check.decision:
            continue
        if decision.verdict is not check.decision.verdict:
            check.since = at
        check.decision = decision
        changed.append(check)
    if not changed:
        return
    columns: list[list[Any]] = [
        [check.id for check in changed],
        [check.decision.verdict.value for check in changed],
        [check.since for check in changed],
        [check.decision.reason for check in changed],
    ]
    statements.run(_CHECKS, columns)


_STATUSES = """
    UPDATE catalog_targetstatus AS s SET
        status = v.status, since = v.since, reason = v.reason, cause_check = v.cause_check,
        last_result_at = v.last_result_at, version = s.version + 1
    FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::uuid[], %s::timestamptz[])
        AS v(target_id, status, since, reason, cause_check, last_result_at)
    WHERE s.target_id = v.target_id
"""


def _decide_targets(board: Board, at: datetime) -> list[Change]:
    changes: list[Change] = []
    written: list[TargetRow] = []
    for target in board.targets.values():
        decision = state.decide_target(
            [state.CheckVerdict(c.id, c.decision.verdict, c.decision.reason, c.affects_status) for c in target.checks]
        )
        latest = _last_result_at(target)
        before = (target.status, target.reason, target.cause_check, target.last_result_at)
        if decision.status is not target.status:
            check = decision.cause_check or target.cause_check
            evidence = _evidence(board, target, decision, check)
            changes.append(Change(target, target.status, decision, check, evidence))
            target.since = at
        target.status, target.reason, target.cause_check = decision.status, decision.reason, decision.cause_check
        target.last_result_at = latest or target.last_result_at
        if before != (target.status, target.reason, target.cause_check, target.last_result_at):
            written.append(target)
    _write_statuses(written)
    return changes


def _last_result_at(target: TargetRow) -> datetime | None:
    moments = [row.last_result_at for check in target.checks for row in check.regions if row.last_result_at]
    return max(moments, default=None)


def _evidence(board: Board, target: TargetRow, decision: state.TargetDecision, check: UUID | None) -> dict[str, Any]:
    """What the causing check saw just now, or when the target was last heard of when the cause is silence."""
    if check is not None and check in board.evidence:
        return board.evidence[check]
    if decision.reason == state.STALE and target.last_result_at:
        return {"last_result_at": target.last_result_at.isoformat()}
    if decision.status is Status.OPERATIONAL:
        seen = [board.evidence[row.id] for row in target.checks if row.id in board.evidence]
        return seen[0] if seen else {}
    return {}


def _write_statuses(targets: list[TargetRow]) -> None:
    if not targets:
        return
    columns: list[list[Any]] = [
        [target.id for target in targets],
        [target.status.value for target in targets],
        [target.since for target in targets],
        [target.reason for target in targets],
        [target.cause_check for target in targets],
        [target.last_result_at for target in targets],
    ]
    statements.run(_STATUSES, columns)


def _rows_of(changes: list[Change], at: datetime) -> list[StateChange]:
    return [
        StateChange(
            id=uuid7(),
            target_id=change.target.id,
            at=at,
            from_status=change.from_status.value,
            to_status=change.decision.status.value,
            reason=change.decision.reason,
            evidence=change.evidence,
            source_check_id=change.check,
        )
        for change in changes
    ]


def as_json(value: Any) -> str:
    """JSON for a COPY. NULs, which PostgreSQL refuses, were taken out when the evidence was bounded."""
    return msgspec.json.encode(value).decode()
