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

from django.db import connection

from apps.catalog.status import Status
from apps.checks import state


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
    last_result_at: datetime | None
    state: state.RegionState
    changed: bool = False
    # A result was recorded for the present claim: the lease ends and the row moves on its grid.
    measured: bool = False


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

    @classmethod
    def load(cls, target_ids: Iterable[UUID]) -> Board:
        """Lock and read. Three queries; must run inside a transaction."""
        identifiers = sorted(set(target_ids))
        targets = _load_targets(identifiers)
        checks = _load_checks(identifiers)
        for check in checks.values():
            targets[check.target_id].checks.append(check)
        return cls(targets=targets, checks=checks)

    def region(self, check_id: UUID, region_id: UUID) -> RegionRow | None:
        check = self.checks.get(check_id)
        if check is None:
            return None
        return next((row for row in check.regions if row.region_id == region_id), None)


_TARGETS = """
    SELECT s.target_id, t.environment_id, t.kind, t.name, t.deleted_at IS NOT NULL OR NOT t.enabled,
           s.status, s.since, s.reason, s.cause_check, s.last_result_at
    FROM catalog_targetstatus s JOIN catalog_target t ON t.id = s.target_id
    WHERE s.target_id = ANY(%s) ORDER BY s.target_id FOR UPDATE OF s
"""

_CHECKS = """
    SELECT c.id, c.target_id, c.failure_threshold, c.recovery_threshold, c.quorum, c.affects_status,
           coalesce(k.verdict, 'unknown'), coalesce(k.reason, 'not_measured'), coalesce(k.since, c.created_at),
           r.id, r.region_id, r.generation, r.lease_until IS NOT NULL, r.interval_seconds, r.passive, r.last_result_at,
           r.verdict, r.verdict_since, r.reason, r.failures, r.degradations, r.successes, r.recoveries
    FROM checks_check c
    JOIN catalog_target t ON t.id = c.target_id AND t.deleted_at IS NULL AND t.enabled
    JOIN checks_checkregion r ON r.check_id = c.id AND r.enabled
    LEFT JOIN checks_checkstatus k ON k.check_id = c.id
    WHERE c.target_id = ANY(%s) AND c.enabled AND c.deleted_at IS NULL
    ORDER BY r.id FOR UPDATE OF r
"""


def _load_targets(identifiers: list[UUID]) -> dict[UUID, TargetRow]:
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, [identifiers])
        return {
            row[0]: TargetRow(
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
            for row in cursor.fetchall()
        }


def _load_checks(identifiers: list[UUID]) -> dict[UUID, CheckRow]:
    checks: dict[UUID, CheckRow] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS, [identifiers])
        for row in cursor.fetchall():
            check = checks.get(row[0])
            if check is None:
                check = checks[row[0]] = CheckRow(
                    id=row[0],
                    target_id=row[1],
                    policy=state.Policy(failure_threshold=row[2], recovery_threshold=row[3], quorum=row[4]),
                    affects_status=row[5],
                    decision=state.Decision(Status(row[6]), row[7]),
                    since=row[8],
                )
            check.regions.append(_region_row(row[0], row[9:]))
    return checks


def _region_row(check_id: UUID, columns: tuple[Any, ...]) -> RegionRow:
    return RegionRow(
        id=columns[0],
        check_id=check_id,
        region_id=columns[1],
        generation=columns[2],
        claimed=columns[3],
        interval_seconds=columns[4],
        passive=columns[5],
        last_result_at=columns[6],
        state=state.RegionState(
            verdict=Status(columns[7]),
            since=columns[8],
            reason=columns[9],
            failures=columns[10],
            degradations=columns[11],
            successes=columns[12],
            recoveries=columns[13],
        ),
    )
