"""The past of one model: percentiles, errors, uptime and money over time, and the runs of its canaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.checks.ai.uptime import Uptime
from apps.probes.ai.classes import ErrorClass

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
    # The kind of check whose looks `duration` is of: the cheapest that asks the model; "" without any.
    duration_kind: str = ""
    looks: list[int] = field(default_factory=list)
    errors: dict[ErrorClass, list[int]] = field(default_factory=dict)
    uptime: Uptime = field(default_factory=Uptime)
    spend: list[tuple[date, Decimal]] = field(default_factory=list)


def model_history(target_id: UUID, start: datetime, end: datetime) -> ModelHistory:
    """One model from `start` to `end`. A fixed number of queries."""
    return ModelHistory()


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


def canary_runs(target_id: UUID, limit: int = 20) -> list[CanaryRun]:
    """The latest runs of the canaries of one model, newest first."""
    return []
