"""The board: a locked, in-memory picture of some targets, their checks and regions, and the one way to change them.

Every write to a status goes through here, so two batches can never decide from stale state: target status rows are
locked first, in id order, then the region rows, in id order. The number of queries does not depend on the number of
targets.

    with transaction.atomic():
        board = Board.load(target_ids)
        ... change board.regions ...
        board.settle(at)          # decide and write
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.catalog.status import Status
from apps.checks import state
from apps.core import statements


@dataclass
class RegionRow:
    """One CheckRegion row. A result counts while the row is claimed and only with its generation."""

    id: int
    check_id: UUID
    region_id: UUID
    generation: int
    claimed: bool
    interval_seconds: int
    # A heartbeat's row: nobody claims it, and silence is judged by its own deadline.
    passive: bool
    # How soon it is looked at again while failures have not decided yet; None: at its usual time.
    retry_interval_seconds: int | None
    # How long it is left alone because a look could not succeed anyway; 0: it is not.
    held_seconds: int
    last_result_at: datetime | None
    state: state.RegionState
    changed: bool = False
    # A result was recorded for the present claim: the lease ends and the row moves on its grid.
    measured: bool = False
    # What was seen leaves the verdict in doubt: the next look comes after the retry interval.
    in_doubt: bool = False
    # How many looks contradict the verdict is another number than before: whoever shows it has to ask again.
    doubt_changed: bool = False


@dataclass
class CheckRow:
    """One enabled check, with its verdict so far."""

    id: UUID
    target_id: UUID
    policy: state.Policy
    affects_status: bool
    decision: state.Decision
    since: datetime
    regions: list[RegionRow] = field(default_factory=list)


@dataclass
class TargetRow:
    """One target and its status so far."""

    id: UUID
    environment_id: UUID
    kind: str
    name: str
    deleted: bool
    status: Status
    since: datetime
    reason: str
    cause_check: UUID | None
    last_result_at: datetime | None
    checks: list[CheckRow] = field(default_factory=list)


@dataclass
class Board:
    """Some targets, locked until the transaction ends."""

    targets: dict[UUID, TargetRow]
    checks: dict[UUID, CheckRow]
    # What was seen, by check: the evidence a change of status copies.
    evidence: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    # By the database's clock, once the statuses were locked: what follows is dated after what was waited for.
    locked_at: datetime | None = None

    @classmethod
    def load(cls, target_ids: Iterable[UUID]) -> Board:
        """Lock and read. Two statements; must run inside a transaction."""
        return cls._fill(statements.run(_TARGETS, [sorted(set(target_ids))]))

    @classmethod
    def load_for_checks(cls, check_ids: Iterable[UUID]) -> Board:
        """The same, for the targets of some checks, whatever became of them."""
        return cls._fill(statements.run(_TARGETS_OF_CHECKS, [list(set(check_ids))]))

    @classmethod
    def _fill(cls, rows: list[tuple[Any, ...]]) -> Board:
        board = cls(targets={row[0]: _target_row(row) for row in rows}, checks={})
        for row in statements.run(_CHECKS, [list(board.targets)]) if board.targets else []:
            check = board.checks.get(row[0])
            if check is None:
                check = board.checks[row[0]] = _check_row(row)
                board.targets[check.target_id].checks.append(check)
            check.regions.append(_region_row(row[0], row[10:]))
            board.locked_at = row[9]
        return board

    def region(self, check_id: UUID, region_id: UUID) -> RegionRow | None:
        check = self.checks.get(check_id)
        if check is None:
            return None
        return next((row for row in check.regions if row.region_id == region_id), None)


_TARGET_COLUMNS = """
    SELECT s.target_id, t.environment_id, t.kind, t.name, t.deleted_at IS NOT NULL OR NOT t.enabled,
           s.status, s.since, s.reason, s.cause_check, s.last_result_at
    FROM catalog_targetstatus s JOIN catalog_target t ON t.id = s.target_id
"""
_TARGETS = f"{_TARGET_COLUMNS} WHERE s.target_id = ANY(%s) ORDER BY s.target_id FOR UPDATE OF s"
# Constant text, put together from constant text.
_TARGETS_OF_CHECKS = f"""{_TARGET_COLUMNS}
    WHERE s.target_id IN (SELECT target_id FROM checks_check WHERE id = ANY(%s)) ORDER BY s.target_id FOR UPDATE OF s
"""  # noqa: S608

_CHECKS = """
    SELECT c.id, c.target_id, c.failure_threshold, c.recovery_threshold, c.quorum, c.affects_status,
           coalesce(k.verdict, 'unknown'), coalesce(k.reason, 'not_measured'), coalesce(k.since, c.created_at),
           clock_timestamp(),
           r.id, r.region_id, r.generation, r.lease_until IS NOT NULL, r.interval_seconds, r.passive,
           r.retry_interval_seconds, r.held_seconds, r.last_result_at,
           r.verdict, r.verdict_since, r.reason, r.failures, r.degradations, r.successes, r.recoveries
    FROM checks_check c
    JOIN catalog_target t ON t.id = c.target_id AND t.deleted_at IS NULL AND t.enabled
    JOIN checks_checkregion r ON r.check_id = c.id AND r.enabled
    LEFT JOIN checks_checkstatus k ON k.check_id = c.id
    WHERE c.target_id = ANY(%s) AND c.enabled AND c.deleted_at IS NULL
    ORDER BY r.id FOR UPDATE OF r
"""


def _target_row(row: tuple[Any, ...]) -> TargetRow:
    return TargetRow(
        id=row[0],
        environment_id=row[1],
        kind=row[2],
        name=row[3],
        deleted=row[4],
        status=Status(row[5]),
        since=row[6],
        reason=row[7],
        cause_check=row[8],
        last_result_at=row[9],
    )


def _check_row(row: tuple[Any, ...]) -> CheckRow:
    return CheckRow(
        id=row[0],
        target_id=row[1],
        policy=state.Policy(failure_threshold=row[2], recovery_threshold=row[3], quorum=row[4]),
        affects_status=row[5],
        decision=state.Decision(Status(row[6]), row[7]),
        since=row[8],
    )


def _region_row(check_id: UUID, columns: tuple[Any, ...]) -> RegionRow:
    return RegionRow(
        id=columns[0],
        check_id=check_id,
        region_id=columns[1],
        generation=columns[2],
        claimed=columns[3],
        interval_seconds=columns[4],
        passive=columns[5],
        retry_interval_seconds=columns[6],
        held_seconds=columns[7],
        last_result_at=columns[8],
        state=state.RegionState(
            verdict=Status(columns[9]),
            since=columns[10],
            reason=columns[11],
            failures=columns[12],
            degradations=columns[13],
            successes=columns[14],
            recoveries=columns[15],
        ),
    )
