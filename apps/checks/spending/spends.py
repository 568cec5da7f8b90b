"""What was spent, added up by day or month, by provider and by model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import TruncMonth

from apps.catalog.models import Target
from apps.catalog.selectors import Viewer, list_providers
from apps.checks.models import SpendDay

# What sums may be told apart by; a row of a model names its provider too.
DIMENSIONS = ("day", "month", "provider", "model")
_PERIODS: dict[str, Any] = {"day": F("day"), "month": TruncMonth("day")}
# Answers name these; the columns they are sums of have some of the names themselves.
_SUMS = {
    "sum_cost": Sum("cost"),
    "sum_looks": Sum("looks"),
    "sum_estimated_looks": Sum("estimated_looks"),
    "sum_tokens_in": Sum("tokens_in"),
    "sum_tokens_out": Sum("tokens_out"),
    "sum_tokens_cached": Sum("tokens_cached"),
    "sum_tokens_reasoning": Sum("tokens_reasoning"),
}


@dataclass(frozen=True, kw_only=True)
class SpendQuestion:
    """From `start` to `end`, both included (UTC); None: whatever it is. `by` holds some of DIMENSIONS."""

    start: date
    end: date
    by: frozenset[str] = field(default=frozenset({"day", "model"}))
    provider: UUID | None = None
    model: UUID | None = None
    environment: UUID | None = None

    @property
    def columns(self) -> list[str]:
        """What a row is of: the first day of its period, its provider, its target; those that were asked for."""
        found = ["period"] if self.by & set(_PERIODS) else []
        if self.by & {"provider", "model"}:
            found.append("provider_id")
        return [*found, "target_id"] if "model" in self.by else found

    @property
    def ordering(self) -> tuple[str, ...]:
        """The latest period first, so that every row has its place."""
        return tuple(f"-{column}" if column == "period" else column for column in self.columns)


def list_spends(user: Viewer, asked: SpendQuestion) -> QuerySet[SpendDay, dict[str, Any]]:
    """A row of sums for each of what `asked.columns` names, of providers `user` may see. One query."""
    rows = _rows(user, asked)
    for name, period in _PERIODS.items():
        if name in asked.by:
            rows = rows.annotate(period=period)
    sums: QuerySet[SpendDay, dict[str, Any]] = rows.values(*asked.columns).annotate(**_SUMS)
    return sums.order_by(*asked.ordering)


def total_spend(user: Viewer, asked: SpendQuestion) -> dict[str, Any]:
    """The same sums over everything. One query."""
    found = _rows(user, asked).aggregate(**_SUMS)
    return {name: value or 0 for name, value in found.items()}


def names_of(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, str]:
    """Names of the providers and models in rows; absent: a model that is not there any more. One query."""
    wanted = {row[column] for row in rows for column in ("provider_id", "target_id") if column in row}
    return dict(Target.objects.filter(pk__in=wanted).values_list("pk", "name"))


def _rows(user: Viewer, asked: SpendQuestion) -> QuerySet[SpendDay]:
    providers = list_providers(user)
    if asked.environment is not None:
        providers = providers.filter(target__environment_id=asked.environment)
    if asked.provider is not None:
        providers = providers.filter(pk=asked.provider)
    rows = SpendDay.objects.filter(day__gte=asked.start, day__lte=asked.end)
    rows = rows.filter(provider_id__in=providers.order_by().values("pk"))
    return rows if asked.model is None else rows.filter(target_id=asked.model)
