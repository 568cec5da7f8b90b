"""The figures in the columns of the list of models, of models and providers alike, and the list ordered by them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.catalog.models import Target, TargetKind
from apps.checks import history
from apps.checks.ai.ordering import figures_of, with_figures
from apps.checks.spending.selectors import SpendOfMonth, this_month
from apps.checks.spending.standing import load_standings

Figures = dict[UUID, float]


def spent_by_providers() -> dict[UUID | None, SpendOfMonth]:
    """What all models of each provider cost in the present month (UTC): of all that have a budget or spent anything.

    One query.
    """
    standings = load_standings(this_month(), with_estimates=True)
    return {identifier: SpendOfMonth(one.spent, one.estimated) for identifier, one in standings.items()}


def _first_token(models: Collection[UUID], _others: Collection[UUID]) -> Figures:
    return figures_of(models, "ttft_ms")


def _speed(models: Collection[UUID], _others: Collection[UUID]) -> Figures:
    return figures_of(models, "output_tokens_per_second")


def _spend(models: Collection[UUID], others: Collection[UUID]) -> Figures:
    spent = spent_by_providers()
    of_others = {identifier: float(spent.get(identifier, SpendOfMonth()).cost) for identifier in others}
    return of_others | figures_of(models, "spend_month")


def _uptime(models: Collection[UUID], others: Collection[UUID]) -> Figures:
    """By looks where they were counted, else by time, as rows show it."""
    by_time = history.get_uptime([*models, *others], history.DAY)
    known = {identifier: report.ratio for identifier, report in by_time.items() if report.ratio is not None}
    return known | figures_of(models, "uptime_24h")


# By the name of the column.
MEASURES: dict[str, Callable[[Collection[UUID], Collection[UUID]], Figures]] = {
    "token": _first_token,
    "speed": _speed,
    "spend": _spend,
    "uptime": _uptime,
}


def in_order(rows: QuerySet[Target], sort: str) -> QuerySet[Target]:
    """The rows with `measure`, by which "token" or "-token" orders them. A fixed number of queries."""
    name = sort.removeprefix("-")
    found: list[tuple[Any, str]] = list(rows.order_by().values_list("pk", "kind"))
    models = [identifier for identifier, kind in found if kind == TargetKind.MODEL]
    others = [identifier for identifier, kind in found if kind != TargetKind.MODEL]
    return with_figures(rows, MEASURES[name](models, others), descending=sort != name)
