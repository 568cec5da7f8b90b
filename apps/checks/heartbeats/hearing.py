"""A hearing: some heartbeats under the locks of a board, what is found of them, and the one way to write it.

    with transaction.atomic():
        board = Board.load(target_ids)
        hearing = Hearing.load(board, check_ids)
        ... change case.heard, hearing.find(case, at, outcome) ...
        hearing.write(now)        # results, evidence, heartbeats, runs, deadlines; then the board is settled

The number of statements does not depend on the number of heartbeats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from apps.checks import settling, state
from apps.checks.board import Board, CheckRow, RegionRow
from apps.checks.copying import EVIDENCE, EVIDENCE_COLUMNS, RESULT_COLUMNS, RESULTS, copy_rows
from apps.checks.heartbeats.judging import Heard, Run, judge_at
from apps.core import statements
from apps.core.ids import uuid7
from apps.core.news import News, announce_all
from apps.probes.base import Outcome, OutcomeState
from apps.probes.kinds.heartbeat import HeartbeatConfig

logger = structlog.get_logger(__name__)

# The deadline of what has none: a date that every library can hold.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class Case:
    """One heartbeat that is listened to: its row on the board, its schedule, and what is known of it."""

    check: CheckRow
    row: RegionRow
    config: HeartbeatConfig
    before: Heard
    heard: Heard
    run_ids: dict[Run, int]
    # When silence is judged next; set where the clock was asked, else it follows from what was heard.
    again_at: datetime | None = None


@dataclass
class Hearing:
    """The heartbeats among `check_ids` that are enabled. The others are only kept in the history."""

    board: Board
    cases: dict[UUID, Case]
    results: list[tuple[Any, ...]] = field(default_factory=list)
    evidence: list[tuple[Any, ...]] = field(default_factory=list)

    @classmethod
    def load(cls, board: Board, check_ids: Iterable[UUID]) -> Hearing:
        """Two queries. A heartbeat whose schedule cannot be read is left out and logged."""
        wanted = [check_id for check_id in set(check_ids) if check_id in board.checks]
        runs = _load_runs(wanted) if wanted else {}
        cases: dict[UUID, Case] = {}
        rows = statements.run(_HEARTBEATS, [wanted]) if wanted else []
        for check_id, config, last_ping_at, last_ping_kind, expected_at in rows:
            check = board.checks[check_id]
            row = next((row for row in check.regions if row.passive), None)
            schedule = _schedule(check_id, config)
            if row is None or schedule is None:
                continue
            of_check = runs.get(check_id, {})
            before = Heard(last_ping_at, last_ping_kind, expected_at, tuple(of_check))
            cases[check_id] = Case(check, row, schedule, before, before, of_check)
        return cls(board, cases)

    def find(self, case: Case, at: datetime, outcome: Outcome) -> None:
        """An outcome of this heartbeat: it counts like that of a look, and is a row of the results."""
        row = case.row
        row.state = state.decide_region(row.state, outcome.state, outcome.reason, at, case.check.policy)
        row.last_result_at = max(row.last_result_at or at, at)
        row.changed = True
        self.board.evidence[case.check.id] = outcome.evidence
        identifier = uuid7()
        self.results.append(
            (
                at,
                identifier,
                case.check.id,
                row.region_id,
                outcome.state.value,
                outcome.reason,
                outcome.duration_ms,
                None,
                settling.as_json(outcome.measurements),
            )
        )
        if outcome.state is not OutcomeState.OK:
            self.evidence.append((at, identifier, case.check.id, settling.as_json(outcome.evidence)))

    def write(self, now: datetime) -> None:
        """Everything that was found, and what follows from it for checks and targets."""
        copy_rows(RESULTS, RESULT_COLUMNS, self.results)
        copy_rows(EVIDENCE, EVIDENCE_COLUMNS, self.evidence)
        changed = [case for case in self.cases.values() if case.heard != case.before]
        _write_heartbeats(changed)
        _write_runs(changed)
        settling.settle(self.board, now)
        _write_deadlines([case for case in self.cases.values() if case.again_at or case.heard != case.before])
        announce_all(self._news(now))

    def _news(self, now: datetime) -> list[News]:
        """One news an environment, naming its checks, as for looks."""
        by_environment: dict[UUID, list[UUID]] = {}
        for case in self.cases.values():
            if case.heard != case.before:
                target = self.board.targets[case.check.target_id]
                by_environment.setdefault(target.environment_id, []).append(case.check.id)
        return [News("check.result", tuple(ids), environment, now) for environment, ids in by_environment.items()]


def _schedule(check_id: UUID, config: str) -> HeartbeatConfig | None:
    try:
        return msgspec.json.decode(config, type=HeartbeatConfig)
    except msgspec.ValidationError as error:  # written by another version
        logger.error("heartbeat_not_readable", check=str(check_id), error=str(error))
        return None


_HEARTBEATS = """
    SELECT h.check_id, c.config::text, h.last_ping_at, h.last_ping_kind, h.expected_at
    FROM checks_heartbeat h JOIN checks_check c ON c.id = h.check_id WHERE h.check_id = ANY(%b)
"""

_RUNS = """
    SELECT heartbeat_id, id, run_id, started_at, unfinished_at FROM checks_heartbeatrun
    WHERE heartbeat_id = ANY(%b) ORDER BY started_at, id
"""


def _load_runs(check_ids: list[UUID]) -> dict[UUID, dict[Run, int]]:
    """Open runs by check, oldest first, each with its row's id."""
    runs: dict[UUID, dict[Run, int]] = {}
    for check_id, identifier, *run in statements.run(_RUNS, [check_ids]):
        runs.setdefault(check_id, {})[Run(*run)] = identifier
    return runs


_HEARD = """
    UPDATE checks_heartbeat AS h
    SET last_ping_at = v.last_ping_at, last_ping_kind = v.last_ping_kind, expected_at = v.expected_at
    FROM unnest(%b::uuid[], %b::timestamptz[], %b::text[], %b::timestamptz[])
        AS v(check_id, last_ping_at, last_ping_kind, expected_at)
    WHERE h.check_id = v.check_id
"""


def _write_heartbeats(cases: list[Case]) -> None:
    if not cases:
        return
    columns: list[list[Any]] = [
        [case.check.id for case in cases],
        [case.heard.last_ping_at for case in cases],
        [case.heard.last_ping_kind for case in cases],
        [case.heard.expected_at for case in cases],
    ]
    statements.run(_HEARD, columns)


_OPENED = """
    INSERT INTO checks_heartbeatrun (heartbeat_id, run_id, started_at, unfinished_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::timestamptz[], %b::timestamptz[])
"""


def _write_runs(cases: list[Case]) -> None:
    """A run that changed is a new row: its id says nothing to anybody."""
    gone = [case.run_ids[run] for case in cases for run in case.run_ids if run not in case.heard.runs]
    new = [(case.check.id, run) for case in cases for run in case.heard.runs if run not in case.run_ids]
    if gone:
        statements.run("DELETE FROM checks_heartbeatrun WHERE id = ANY(%b)", [gone])
    if new:
        columns: list[list[Any]] = [
            [check_id for check_id, _run in new],
            [run.run_id for _check_id, run in new],
            [run.started_at for _check_id, run in new],
            [run.unfinished_at for _check_id, run in new],
        ]
        statements.run(_OPENED, columns)


_DEADLINES = """
    UPDATE checks_checkregion AS r SET next_due_at = v.due_at
    FROM unnest(%b::bigint[], %b::timestamptz[]) AS v(id, due_at) WHERE r.id = v.id
"""


def _write_deadlines(cases: list[Case]) -> None:
    if not cases:
        return
    due = [case.again_at or judge_at(case.heard, case.config) or NEVER for case in cases]
    statements.run(_DEADLINES, [[case.row.id for case in cases], due])
