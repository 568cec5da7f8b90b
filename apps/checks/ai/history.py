"""The past of one model: percentiles, errors, uptime and money over time, and the runs of its canaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.checks.ai import histograms, rungs
from apps.checks.ai.histograms import Histogram
from apps.checks.ai.parts import Part, errors_of, load_parts
from apps.checks.ai.uptime import Uptime, uptime_of_looks
from apps.checks.ai.windows import Window
from apps.checks.spending.selectors import spend_of_days
from apps.core import clock
from apps.probes.ai.classes import ErrorClass, Fault, class_of

# A line of a chart: a value for each of the times, None for a gap.
Line = list[float | None]
Lines = dict[str, Line]

PERCENTILES = ("p50", "p75", "p95", "p99")
SPEED_PERCENTILES = ("p5", "p50", "p95")


@dataclass(frozen=True)
class ModelHistory:
    """One model over some time, cut into equal parts; `times` are their beginnings.

    `first_token`, `first_answer` and `duration` hold a line in ms for each of PERCENTILES, `speed` one in tokens a
    second for each of SPEED_PERCENTILES. `looks` counts looks by part, `errors` those of each class.
    """

    times: list[datetime] = field(default_factory=list)
    width_seconds: int = 0
    first_token: Lines = field(default_factory=dict)
    first_answer: Lines = field(default_factory=dict)
    speed: Lines = field(default_factory=dict)
    duration: Lines = field(default_factory=dict)
    # The kind of check whose answers `duration` is of: the cheapest that asks the model; "" without any.
    duration_kind: str = ""
    looks: list[int] = field(default_factory=list)
    errors: dict[ErrorClass, list[int]] = field(default_factory=dict)
    uptime: Uptime = field(default_factory=Uptime)
    spend: list[tuple[date, Decimal]] = field(default_factory=list)


def model_history(target_id: UUID, start: datetime, end: datetime) -> ModelHistory:
    """One model from `start` to `end`. Four queries at most. Raises ValueError when `end` is not after `start`."""
    window = Window.of(start, end, clock.now())
    parts = load_parts([target_id], window)
    spend: dict[date, Decimal] = {}
    for day in spend_of_days(target_ids=[target_id], start=window.start.date(), end=last_day(end)):
        spend[day.day] = spend.get(day.day, Decimal(0)) + day.cost
    errors: dict[ErrorClass, list[int]] = {}
    looks = [0] * window.count
    for part in parts:
        looks[part.part] += part.counts.looks
        for error, count in errors_of(part).items():
            errors.setdefault(error, [0] * window.count)[part.part] += count
    kind = duration_kind(parts)
    return ModelHistory(
        times=window.times,
        width_seconds=int(window.width.total_seconds()),
        first_token=lines_of(parts, window, "first_tokens", PERCENTILES),
        first_answer=lines_of(parts, window, "first_answers", PERCENTILES),
        speed=lines_of(parts, window, "speeds", SPEED_PERCENTILES),
        duration=lines_of([part for part in parts if part.kind == kind], window, "durations", PERCENTILES),
        duration_kind=kind,
        looks=looks,
        errors={error: errors[error] for error in ErrorClass if error in errors},
        uptime=uptime_of(parts),
        spend=sorted(spend.items()),
    )


def last_day(end: datetime) -> date:
    """The last day (UTC) of a time that ends just before `end`."""
    return (end - timedelta(microseconds=1)).date()


def duration_kind(parts: Iterable[Part]) -> str:
    """Whose durations are the model's, of the kinds in these parts: the cheapest that asks it; "" when none has any.

    How long the provider's list took is no duration of the model, also where there is nothing else.
    """
    kinds = {part.kind for part in parts if "durations" in part.measured and rungs.is_timed(part.kind)}
    return min(kinds, key=rungs.duration_order, default="")


def uptime_of(parts: Iterable[Part]) -> Uptime:
    """Of the looks that affect the status: those that asked the model, or those at the list where none did."""
    counted = {True: Uptime(), False: Uptime()}
    for part in parts:
        if part.affects_status:
            counted[rungs.is_free(part.kind)] += part.counts
    return uptime_of_looks(asked=counted[False], listed=counted[True])


def together(parts: Iterable[Part], measure: str) -> Histogram:
    """One histogram of all parts; what a canary measures is left out, as it asks for whatever its author likes."""
    total: Histogram = {}
    for part in parts:
        if measure in part.measured and not rungs.is_canary(part.kind):
            for histogram in part.measured[measure]:
                histograms.add(total, histogram)
    return total


def lines_of(parts: Iterable[Part], window: Window, measure: str, names: Sequence[str]) -> Lines:
    """A line for each of these percentiles ("p95"): a value for each part of the window, None for a gap."""
    by_part: dict[int, list[Part]] = {}
    for part in parts:
        by_part.setdefault(part.part, []).append(part)
    lines: Lines = {name: [None] * window.count for name in names}
    for position, there in by_part.items():
        values = percentiles_of(together(there, measure), names)
        for name in names:
            lines[name][position] = values[name]
    return lines


def percentiles_of(histogram: Mapping[int, int], names: Sequence[str]) -> dict[str, float | None]:
    """By name ("p95"), to a tenth; the names in order."""
    found = histograms.percentiles(histogram, [int(name[1:]) / 100 for name in names])
    return {name: None if value is None else round(value, 1) for name, value in zip(names, found, strict=True)}


@dataclass(frozen=True)
class CanaryRun:
    """One run of a canary. `prompts` as its evidence holds them: [{"name", "passed", "assertion", "expected", "actual",
    "detail"}]; empty for a good run whose evidence nobody kept."""

    check_id: UUID
    check_name: str
    result_id: UUID
    at: datetime
    state: str
    reason: str
    failed: int
    count: int
    prompts: list[dict[str, Any]]


_CANARY_RUNS = """
    SELECT c.id, c.name, r.id, r.at, r.state, r.reason, e.evidence::text
    FROM checks_check c CROSS JOIN LATERAL (
        SELECT id, at, state, reason FROM checks_checkresult
        WHERE check_id = c.id AND state <> 'indeterminate' ORDER BY at DESC LIMIT %(limit)s
    ) r LEFT JOIN checks_checkevidence e ON e.check_id = c.id AND e.at = r.at AND e.id = r.id
    WHERE c.target_id = %(target)s AND c.kind = ANY(%(kinds)s) AND c.deleted_at IS NULL
    ORDER BY r.at DESC LIMIT %(limit)s
"""


def canary_runs(target_id: UUID, limit: int = 20) -> list[CanaryRun]:
    """The latest runs of the canaries of one model, newest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_CANARY_RUNS, {"target": target_id, "kinds": rungs.canary_kinds(), "limit": limit})
        return [_canary_run(row) for row in cursor.fetchall()]


def _canary_run(row: tuple[Any, ...]) -> CanaryRun:
    evidence = msgspec.json.decode(row[6]) if row[6] else {}
    prompts = evidence.get("prompts")
    return CanaryRun(
        check_id=row[0],
        check_name=row[1],
        result_id=row[2],
        at=row[3],
        state=row[4],
        reason=row[5],
        failed=_number(evidence.get("failed")),
        count=_number(evidence.get("count")),
        prompts=[prompt for prompt in prompts if isinstance(prompt, dict)] if isinstance(prompts, list) else [],
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


@dataclass(frozen=True)
class LastFailure:
    """The last look at a model that was not ok, whatever came after it. `evidence` is masked where it was made."""

    check_id: UUID
    check_name: str
    kind: str
    result_id: UUID
    at: datetime
    state: str
    reason: str
    error_class: ErrorClass | None
    fault: Fault | None
    evidence: dict[str, Any]


# Evidence is kept of looks that were not ok, and of few others: only a handful of rows is looked at.
_LAST_FAILURE = """
    SELECT c.id, c.name, c.kind, r.id, r.at, r.state, r.reason, r.evidence::text
    FROM checks_check c CROSS JOIN LATERAL (
        SELECT r.id, r.at, r.state, r.reason, e.evidence
        FROM checks_checkevidence e JOIN checks_checkresult r ON r.check_id = c.id AND r.at = e.at AND r.id = e.id
        WHERE e.check_id = c.id AND r.state IN ('degraded', 'failed') ORDER BY e.at DESC LIMIT 1
    ) r
    WHERE c.target_id = %s AND c.kind = ANY(%s) AND c.deleted_at IS NULL
    ORDER BY r.at DESC LIMIT 1
"""


def last_failure(target_id: UUID) -> LastFailure | None:
    """The last look at this model that was not ok, as long as its result is kept. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_FAILURE, [target_id, rungs.model_kinds()])
        row = cursor.fetchone()
    if row is None:
        return None
    error_class, fault = class_of(row[6]) or (None, None)
    check_id, name, kind, result_id, at, state, reason, evidence = row
    return LastFailure(
        check_id, name, kind, result_id, at, state, reason, error_class, fault, msgspec.json.decode(evidence)
    )
