"""Recording: outcomes in, one transaction out. Results by COPY, counters by one UPDATE, then the board is settled.

A result whose generation is not the row's present one comes from a lease that ran out, or from before an edit: it is
dropped whole, so that no look is counted or shown twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.checks import freeing, holding, measurements, settling, state
from apps.checks.ai import last_looks, rungs
from apps.checks.ai.last_looks import Look
from apps.checks.board import Board, RegionRow
from apps.checks.copying import EVIDENCE, EVIDENCE_COLUMNS, RESULT_COLUMNS, RESULTS, copy_rows
from apps.checks.models import Check, CheckRun
from apps.checks.settling import as_json
from apps.checks.spending import accounts
from apps.checks.vendors import pages as vendor_pages
from apps.core.clock import database_moment
from apps.core.ids import uuid7
from apps.core.news import News, announce_all
from apps.probes.base import Finished, Outcome, OutcomeState
from apps.probes.reasons import Reason

logger = structlog.get_logger(__name__)

# Why an outcome is dropped here.
CHECK_GONE = "check_gone"
UNKNOWN_REGION = "unknown_region"
SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Recorded:
    """How many outcomes were kept, how many dropped and why, and how many statuses changed."""

    kept: int
    dropped: int
    changes: int
    dropped_by: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """One outcome that counts as a result: its id, its row (None for a look at a paused check)."""

    id: UUID
    finished: Finished
    check_id: UUID
    region_id: UUID
    row: RegionRow | None


@transaction.atomic
def record_outcomes(finished: Sequence[Finished], regions: dict[str, UUID]) -> Recorded:
    """Store what probes found and decide what follows. `regions` maps region short names to ids."""
    board = Board.load_for_checks({UUID(item.job.check) for item in finished})
    targets = _targets(board, finished)
    now = board.locked_at or database_moment()
    runs = _pending_runs(finished)
    matched = [_match(board, one, regions, targets, runs) for one in finished]
    kept = [item for item in matched if isinstance(item, _Kept)]
    dropped_by = Counter(item for item in matched if isinstance(item, str))
    kept.sort(key=lambda item: item.finished.outcome.started_at)
    kept = _compared(kept)
    for item in kept:
        if item.row is not None:
            _apply(board, item, item.row)
    _copy_results(kept)
    measurements.hand_over([(item.check_id, item.finished.job.region, item.finished.outcome) for item in kept])
    looks = [_look(item, targets) for item in kept]
    mended = last_looks.store(looks)
    vendor_pages.store(looks, now)
    # What was paid for was paid, even if its result came too late to count.
    accounts.settle(finished, regions, now)
    changes = settling.settle(board, now)
    freeing.free_mended(board, mended)
    _finish_runs(kept, now)
    announce_all([*_result_news(board, kept, targets, now), *_doubt_news(board, changes, now)])
    return Recorded(kept=len(kept), dropped=dropped_by.total(), changes=len(changes), dropped_by=dict(dropped_by))


def _targets(board: Board, finished: Sequence[Finished]) -> dict[UUID, UUID]:
    """Check to target, of the checks that are still there. One more query, for paused ones, when there are any."""
    targets = {check_id: check.target_id for check_id, check in board.checks.items()}
    missing = {item.job.check for item in finished if UUID(item.job.check) not in targets}
    if missing:
        present = Check.objects.filter(id__in=missing, deleted_at__isnull=True)
        targets.update(present.values_list("id", "target_id"))
    return targets


def _pending_runs(finished: Sequence[Finished]) -> set[UUID]:
    """The runs among these that still wait for their result, locked: a message delivered twice finds none."""
    asked = [UUID(one.job.run) for one in finished if one.job.run]
    if not asked:
        return set()
    waiting = CheckRun.objects.select_for_update().filter(id__in=asked, finished_at__isnull=True)
    return set(waiting.values_list("id", flat=True))


def _match(
    board: Board, finished: Finished, regions: dict[str, UUID], targets: dict[UUID, UUID], runs: set[UUID]
) -> _Kept | str:
    """The outcome as it counts, or why it does not."""
    check_id, region_id = UUID(finished.job.check), regions.get(finished.job.region)
    if region_id is None:
        return UNKNOWN_REGION
    if check_id not in targets:
        return CHECK_GONE
    row = board.region(check_id, region_id)
    run = UUID(finished.job.run) if finished.job.run else None
    counts = row is not None and row.claimed and row.generation == finished.job.generation
    if not counts and run not in runs:
        return SUPERSEDED
    if row is not None and counts:
        # The claim is used up here: a message delivered twice finds it gone, in this batch or a later one.
        row.claimed, row.changed, row.measured = False, True, True
    if run is not None:
        runs.discard(run)
    # A look somebody asked for is kept and shown even when it may not count (a paused check, a later edit).
    return _Kept(run or uuid7(), finished, check_id, region_id, row if counts else None)


def _apply(board: Board, item: _Kept, row: RegionRow) -> None:
    outcome = item.finished.outcome
    at = _moment(outcome.started_at)
    check = board.checks[item.check_id]
    if outcome.state is not OutcomeState.INDETERMINATE:
        held = holding.held_out(row.held_seconds, row.last_result_at, at)
        row.held_seconds = holding.seconds(held, row.interval_seconds, item.finished.job.kind, outcome)
        row.last_result_at = max(row.last_result_at or at, at)
    before, policy = row.state, _policy(check.policy, outcome)
    row.state = state.decide_region(before, outcome.state, outcome.reason, at, policy)
    if before.degradations or row.state.degradations:
        row.doubt_changed |= state.pending_of(before, policy) != state.pending_of(row.state, policy)
    row.in_doubt = state.is_in_doubt(row.state, outcome.state)
    board.evidence[item.check_id] = outcome.evidence


def _policy(policy: state.Policy, outcome: Outcome) -> state.Policy:
    """A look that is slower than usual is the last of several in a row: they need not be counted a second time."""
    return replace(policy, failure_threshold=1) if outcome.reason is Reason.SLOWER_THAN_USUAL else policy


def _compared(kept: list[_Kept]) -> list[_Kept]:
    """The same, where a good look that was far slower than usual for too long has become a degraded one."""
    counted = [position for position, item in enumerate(kept) if item.row is not None]
    slower = last_looks.slower_than_usual([(kept[position].check_id, kept[position].finished) for position in counted])
    for position, finished in slower.items():
        kept[counted[position]] = replace(kept[counted[position]], finished=finished)
    return kept


def _look(item: _Kept, targets: dict[UUID, UUID]) -> Look:
    job = item.finished.job
    return Look(item.check_id, item.region_id, targets[item.check_id], job.kind, item.finished.outcome)


def _moment(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)


def _copy_results(kept: list[_Kept]) -> None:
    results: list[tuple[Any, ...]] = []
    evidence: list[tuple[Any, ...]] = []
    for item in kept:
        outcome = item.finished.outcome
        at = _moment(outcome.started_at)
        results.append(
            (
                at,
                item.id,
                item.check_id,
                item.region_id,
                outcome.state.value,
                outcome.reason,
                outcome.duration_ms,
                outcome.status_code,
                as_json(outcome.measurements),
            )
        )
        if outcome.state is not OutcomeState.OK or item.finished.job.run or rungs.is_canary(item.finished.job.kind):
            evidence.append((at, item.id, item.check_id, as_json(outcome.evidence)))
    copy_rows(RESULTS, RESULT_COLUMNS, results)
    copy_rows(EVIDENCE, EVIDENCE_COLUMNS, evidence)


def _finish_runs(kept: list[_Kept], now: datetime) -> None:
    """Runs are asked for by hand, one at a time, so a statement a run is no cost."""
    for item in kept:
        if item.finished.job.run:
            CheckRun.objects.filter(id=item.id, finished_at__isnull=True).update(finished_at=now)


def _result_news(board: Board, kept: list[_Kept], targets: dict[UUID, UUID], now: datetime) -> list[News]:
    """One news a environment, naming its checks: pages that show one of them ask for it again."""
    by_environment: dict[UUID, list[UUID]] = {}
    for item in kept:
        target = board.targets.get(targets[item.check_id])
        if target is not None:
            by_environment.setdefault(target.environment_id, []).append(item.check_id)
    return [News("check.result", tuple(ids), environment, now) for environment, ids in by_environment.items()]


def _doubt_news(board: Board, changes: Sequence[settling.Change], now: datetime) -> list[News]:
    """Targets whose latest looks begin, go on or cease to contradict them: their status is the same, its sentence not.

    Those whose status changed are announced as such.
    """
    told = {change.target.id for change in changes}
    doubted = {check.target_id for check in board.checks.values() for row in check.regions if row.doubt_changed} - told
    by_environment: dict[UUID, list[UUID]] = {}
    for target_id in doubted:
        target = board.targets.get(target_id)
        if target is not None and not target.deleted:
            by_environment.setdefault(target.environment_id, []).append(target_id)
    return [News("target.doubt", tuple(ids), environment, now) for environment, ids in by_environment.items()]
