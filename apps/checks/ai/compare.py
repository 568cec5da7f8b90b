"""Models beside each other: the same measures over the same time, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.catalog.models import Target
from apps.checks.ai.history import (
    PERCENTILES,
    Line,
    duration_kind,
    last_day,
    lines_of,
    percentiles_of,
    together,
    uptime_of,
)
from apps.checks.ai.parts import Part, errors_of, load_parts
from apps.checks.ai.selectors import ModelFacts, model_facts
from apps.checks.ai.uptime import Uptime
from apps.checks.ai.windows import Window
from apps.checks.spending.selectors import SpendOfDay, spend_of_days
from apps.core import clock
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
    # How many looks named no usage to go by.
    estimated: int = 0
    times: list[datetime] = field(default_factory=list)
    width_seconds: int = 0
    first_token_line: Line = field(default_factory=list)
    duration_line: Line = field(default_factory=list)
    speed_line: Line = field(default_factory=list)


def compare_models(targets: Sequence[Target], start: datetime, end: datetime) -> list[ComparedModel]:
    """Each of these models from `start` to `end`, in their order. Seven queries at most, whatever their number.

    Raises ValueError when `end` is not after `start`.
    """
    identifiers = [target.pk for target in targets]
    window = Window.of(start, end, clock.now())
    parts: dict[UUID, list[Part]] = {identifier: [] for identifier in identifiers}
    for part in load_parts(identifiers, window):
        parts[part.target_id].append(part)
    days: dict[UUID, list[SpendOfDay]] = {identifier: [] for identifier in identifiers}
    for day in spend_of_days(target_ids=identifiers, start=window.start.date(), end=last_day(end)):
        days[day.target_id].append(day)
    facts = model_facts(identifiers)
    return [_compared(target, facts[target.pk], parts[target.pk], days[target.pk], window) for target in targets]


def _compared(
    target: Target, facts: ModelFacts, parts: list[Part], days: list[SpendOfDay], window: Window
) -> ComparedModel:
    kind = duration_kind(parts)
    whole = [part for part in parts if part.kind == kind]
    errors: dict[ErrorClass, int] = {}
    for part in parts:
        for error, count in errors_of(part).items():
            errors[error] = errors.get(error, 0) + count
    return ComparedModel(
        target=target,
        facts=facts,
        first_token=percentiles_of(together(parts, "first_tokens"), PERCENTILES),
        duration=percentiles_of(together(whole, "durations"), PERCENTILES),
        duration_kind=kind,
        speed_p50=percentiles_of(together(parts, "speeds"), ("p50",))["p50"],
        uptime=uptime_of(parts),
        errors={error: errors[error] for error in ErrorClass if error in errors},
        spend=sum((day.cost for day in days), Decimal(0)),
        estimated=sum(day.estimated for day in days),
        times=window.times,
        width_seconds=int(window.width.total_seconds()),
        first_token_line=lines_of(parts, window, "first_tokens", ("p50",))["p50"],
        duration_line=lines_of(whole, window, "durations", ("p50",))["p50"],
        speed_line=lines_of(parts, window, "speeds", ("p50",))["p50"],
    )
