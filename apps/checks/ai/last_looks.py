"""The last look at each check of an AI kind, kept beside its results for whoever lists models.

Everything here runs in the transaction that records, and costs nothing for looks at anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from apps.checks.ai import comparison, rungs
from apps.checks.ai.histograms import Histogram
from apps.core import statements
from apps.probes.ai.classes import WAITS_FOR_US, class_of
from apps.probes.base import Finished, Outcome, OutcomeState
from apps.probes.reasons import Reason

# The account stood in the way, and not how often we ask: when the free list is read again, the rest may work too.
_KEY_PROBLEMS = WAITS_FOR_US - {Reason.RATE_LIMITED}


class Look(NamedTuple):
    """One recorded look."""

    check: UUID
    region: UUID
    target: UUID
    kind: str
    outcome: Outcome


def store(looks: Sequence[Look]) -> list[UUID]:
    """Keep the last look of each check of an AI kind, and count errors. At most three statements.

    Returns the targets whose key or account was refused before and is accepted again, as their free look tells.
    """
    told = [
        look for look in looks if look.outcome.state is not OutcomeState.INDETERMINATE and rungs.is_of_models(look.kind)
    ]
    if not told:
        return []
    mended = _mended(told)
    _keep(told)
    _count_errors(told)
    return mended


# --- The last look ----------------------------------------------------------------------------------------


@dataclass
class _Last:
    """One row in the making: what a later look does not measure stays as an earlier one measured it."""

    target: UUID
    at: datetime
    outcome: Outcome
    measured_at: datetime | None = None
    duration_ms: float | None = None
    ttft_ms: float | None = None
    answer_ttft_ms: float | None = None
    output_tokens_per_second: float | None = None
    rate_limit: dict[str, Any] | None = None
    rate_limit_at: datetime | None = None

    def follow(self, look: Look) -> None:
        outcome = look.outcome
        self.at, self.outcome = _moment(outcome), outcome
        if comparison.is_good(outcome):
            self.measured_at, self.duration_ms = self.at, float(outcome.duration_ms)
            for name in ("ttft_ms", "answer_ttft_ms", "output_tokens_per_second"):
                if name in outcome.measurements:
                    setattr(self, name, float(outcome.measurements[name]))
        head_room = outcome.evidence.get("rate_limit")
        if isinstance(head_room, dict) and head_room:
            self.rate_limit, self.rate_limit_at = head_room, self.at


_KEEP = """
    INSERT INTO checks_aicheckstate AS s
        (check_id, target_id, at, state, reason, measured_at, duration_ms, ttft_ms, answer_ttft_ms,
         output_tokens_per_second, rate_limit, rate_limit_at, details, slow_streak)
    SELECT v.check_id, v.target_id, v.at, v.state, v.reason, v.measured_at, v.duration_ms, v.ttft_ms, v.answer_ttft_ms,
           v.speed, v.rate_limit::jsonb, v.rate_limit_at, v.details::jsonb, 0
    FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[], %s::float8[],
                %s::float8[], %s::float8[], %s::float8[], %s::text[], %s::timestamptz[], %s::text[])
        AS v(check_id, target_id, at, state, reason, measured_at, duration_ms, ttft_ms, answer_ttft_ms, speed,
             rate_limit, rate_limit_at, details)
    ORDER BY v.check_id
    ON CONFLICT (check_id) DO UPDATE SET
        at = excluded.at, state = excluded.state, reason = excluded.reason, details = excluded.details,
        measured_at = coalesce(excluded.measured_at, s.measured_at),
        duration_ms = coalesce(excluded.duration_ms, s.duration_ms),
        ttft_ms = coalesce(excluded.ttft_ms, s.ttft_ms),
        answer_ttft_ms = coalesce(excluded.answer_ttft_ms, s.answer_ttft_ms),
        output_tokens_per_second = coalesce(excluded.output_tokens_per_second, s.output_tokens_per_second),
        rate_limit = coalesce(excluded.rate_limit, s.rate_limit),
        rate_limit_at = coalesce(excluded.rate_limit_at, s.rate_limit_at)
    WHERE excluded.at >= s.at
"""


def _keep(looks: list[Look]) -> None:
    rows: dict[UUID, _Last] = {}
    for look in sorted(looks, key=lambda look: look.outcome.started_at):
        row = rows.setdefault(look.check, _Last(look.target, _moment(look.outcome), look.outcome))
        row.follow(look)
    last = list(rows.values())
    columns: list[list[Any]] = [
        list(rows),
        [row.target for row in last],
        [row.at for row in last],
        [row.outcome.state.value for row in last],
        [row.outcome.reason.value for row in last],
        [row.measured_at for row in last],
        [row.duration_ms for row in last],
        [row.ttft_ms for row in last],
        [row.answer_ttft_ms for row in last],
        [row.output_tokens_per_second for row in last],
        [_json(row.rate_limit) for row in last],
        [row.rate_limit_at for row in last],
        [_json(row.outcome.evidence) for row in last],
    ]
    statements.run(_KEEP, columns)


_COUNT = """
    INSERT INTO checks_aierrortotal AS t (target_id, error_class, fault, looks)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[]) AS v(target_id, error_class, fault, looks)
    ORDER BY 1, 2, 3
    ON CONFLICT (target_id, error_class, fault) DO UPDATE SET looks = t.looks + excluded.looks
"""


def _count_errors(looks: list[Look]) -> None:
    counts: Counter[tuple[UUID, str, str]] = Counter()
    for look in looks:
        found = class_of(look.outcome.reason)
        if found is not None and look.outcome.state is not OutcomeState.OK:
            counts[look.target, found[0].value, found[1].value] += 1
    if counts:
        targets, classes, faults = (list(column) for column in zip(*counts, strict=True))
        statements.run(_COUNT, [targets, classes, faults, list(counts.values())])


_REASONS = "SELECT target_id, reason FROM checks_aicheckstate WHERE check_id = ANY(%s)"


def _mended(looks: list[Look]) -> list[UUID]:
    """Targets whose free look is good, and was refused for the key or the account the time before."""
    free = [look.check for look in looks if look.outcome.state is OutcomeState.OK and rungs.is_free(look.kind)]
    if not free:
        return []
    return [target for target, reason in statements.run(_REASONS, [free]) if reason in _KEY_PROBLEMS]


# --- Slower than usual ------------------------------------------------------------------------------------

_STREAKS = "SELECT check_id, slow_streak FROM checks_aicheckstate WHERE check_id = ANY(%s)"
_HOURS = """
    SELECT check_id, hour, first_tokens::text, durations::text FROM checks_aihour
    WHERE check_id = ANY(%s) AND hour = ANY(%s)
"""
_SET_STREAKS = """
    UPDATE checks_aicheckstate AS s SET slow_streak = v.streak
    FROM unnest(%s::uuid[], %s::int[]) AS v(check_id, streak) WHERE s.check_id = v.check_id
"""
_histograms = msgspec.json.Decoder(dict[int, int])


def slower_than_usual(looks: Sequence[tuple[UUID, Finished]]) -> dict[int, Finished]:
    """Good looks (in time order) that were far slower than usual for too long, as degraded ones, by position.

    Two statements when there are looks that can be compared, one more when a streak begins, goes on or ends.
    """
    compared = [
        (position, check, finished)
        for position, (check, finished) in enumerate(looks)
        if rungs.is_timed(finished.job.kind) and comparison.is_good(finished.outcome)
    ]
    if not compared:
        return {}
    checks = list({check for _position, check, _finished in compared})
    before: dict[UUID, int] = dict(statements.run(_STREAKS, [checks]))
    streaks = dict(before)
    days = _days(checks, [finished.outcome for _position, _check, finished in compared])
    slower: dict[int, Finished] = {}
    for position, check, finished in compared:
        usual = comparison.usual_of(_usual_days(days, check, finished.outcome))
        found = comparison.compare(finished.outcome, usual, streaks.get(check, 0))
        streaks[check] = found.streak
        if found.outcome is not finished.outcome:
            slower[position] = Finished(job=finished.job, outcome=found.outcome)
    changed = {check: streak for check, streak in streaks.items() if streak != before.get(check, 0)}
    if changed:
        statements.run(_SET_STREAKS, [list(changed), list(changed.values())])
    return slower


_Days = dict[tuple[UUID, datetime], tuple[str, str]]


def _days(checks: list[UUID], outcomes: list[Outcome]) -> _Days:
    """(first tokens, durations), undecoded, by check and hour."""
    hours = {hour for outcome in outcomes for hour in comparison.hours_before(_moment(outcome))}
    return {(row[0], row[1]): (row[2], row[3]) for row in statements.run(_HOURS, [checks, list(hours)])}


def _usual_days(days: _Days, check: UUID, outcome: Outcome) -> list[Histogram]:
    column = 0 if comparison.measured_by_first_token(outcome) else 1
    found = [days.get((check, hour)) for hour in comparison.hours_before(_moment(outcome))]
    return [_histograms.decode(day[column]) for day in found if day is not None]


def _moment(outcome: Outcome) -> datetime:
    return datetime.fromtimestamp(outcome.started_at, UTC)


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
