"""Reading what was spent, by target and day, and how far each budget has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from apps.catalog.models import Provider
from apps.catalog.prices.lookup import rates_of
from apps.catalog.selectors import Viewer, list_providers
from apps.checks.models import Check, SpendDay
from apps.checks.spending.standing import BudgetWord, Standing, load_standings
from apps.core import clock
from apps.probes.base import PROBE_KINDS


@dataclass(frozen=True)
class SpendOfDay:
    """What looking at one target cost on one day (UTC), in US dollars. `estimated` of the `looks` had no usage to
    go by."""

    day: date
    target_id: UUID
    provider_id: UUID
    cost: Decimal
    estimated: int
    looks: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int


@dataclass(frozen=True)
class BudgetState:
    """One budget in the present month: a provider's, or that of all together (no provider). US dollars.

    `share` of the cap is spent (0.8 is 80 %; None without a cap). `unpriced_models` are looked at for money, as far as
    we know, of which no price is known: they count as 0.
    """

    provider: Provider | None
    monthly_cap: Decimal | None
    spent: Decimal
    reserved: Decimal
    share: float | None
    state: BudgetWord
    month: date
    unpriced_models: tuple[str, ...]
    # How many looks of the month named no usage that could be believed.
    estimated: int = 0

    @property
    def remaining(self) -> Decimal | None:
        """What is left of the cap for looks that were not sent yet, never below nothing."""
        return None if self.monthly_cap is None else max(self.monthly_cap - self.spent - self.reserved, Decimal(0))


class SpendOfMonth(NamedTuple):
    """US dollars, and how many of the looks named no usage that could be believed."""

    cost: Decimal = Decimal(0)
    estimated: int = 0


_OF_MONTH = """
    SELECT target_id, sum(cost), sum(estimated_looks)::int FROM checks_spendday
    WHERE target_id = ANY(%s) AND day >= %s AND day < %s GROUP BY target_id
"""


def spend_month_of(target_ids: Collection[UUID]) -> dict[UUID, SpendOfMonth]:
    """What each target cost in the present month (UTC); absent: nothing. One query."""
    if not target_ids:
        return {}
    month = this_month()
    with connection.cursor() as cursor:
        cursor.execute(_OF_MONTH, [list(target_ids), month, next_month(month)])
        return {row[0]: SpendOfMonth(*row[1:]) for row in cursor.fetchall()}


def spend_of_days(
    *, target_ids: Collection[UUID] | None = None, provider_id: UUID | None = None, start: date, end: date
) -> list[SpendOfDay]:
    """What was spent from `start` to `end`, both included, by day and target in order. One query."""
    rows = SpendDay.objects.filter(day__gte=start, day__lte=end).order_by("day", "target_id")
    if target_ids is not None:
        rows = rows.filter(target_id__in=list(target_ids))
    if provider_id is not None:
        rows = rows.filter(provider_id=provider_id)
    return [
        SpendOfDay(
            day=row.day,
            target_id=row.target_id,
            provider_id=row.provider_id,
            cost=row.cost,
            estimated=row.estimated_looks,
            looks=row.looks,
            tokens_in=row.tokens_in,
            tokens_out=row.tokens_out,
            tokens_cached=row.tokens_cached,
            tokens_reasoning=row.tokens_reasoning,
        )
        for row in rows
    ]


def list_budgets(user: Viewer, provider_ids: Collection[UUID] | None = None) -> list[BudgetState]:
    """The budget of all together, then one of each provider `user` may see, by name. A fixed number of queries.

    `provider_ids` leaves out the providers that are not among them.
    """
    rows = list_providers(user)
    if provider_ids is not None:
        rows = rows.filter(pk__in=list(provider_ids))
    providers = list(rows.order_by("target__name", "pk"))
    month = this_month()
    standings = load_standings(month, with_estimates=True)
    unpriced = _unpriced_models(providers)
    states = [_state(provider, standings, month, tuple(unpriced.get(provider.pk, ()))) for provider in providers]
    everywhere = tuple(sorted({name for names in unpriced.values() for name in names}))
    return [_state(None, standings, month, everywhere), *states]


def _state(
    provider: Provider | None, standings: Mapping[UUID | None, Standing], month: date, unpriced: tuple[str, ...]
) -> BudgetState:
    standing = standings.get(provider.pk if provider else None, Standing())
    return BudgetState(
        provider=provider,
        monthly_cap=standing.cap,
        spent=standing.spent,
        reserved=standing.reserved,
        share=standing.share,
        state=standing.word,
        month=month,
        unpriced_models=unpriced,
        estimated=standing.estimated,
    )


def _unpriced_models(providers: Collection[Provider]) -> dict[UUID, list[str]]:
    """By provider the names of models with a paid check of which no price is known. Two queries."""
    paid = [kind.name for kind in PROBE_KINDS if kind.is_paid]
    by_id = {provider.pk: provider for provider in providers}
    looked_at = Check.objects.present().filter(kind__in=paid, target__namespace__in=list(by_id)).order_by()
    found = looked_at.filter(target__deleted_at__isnull=True).values_list("target__namespace", "target__name")
    pairs = [(by_id[provider], name) for provider, name in found.distinct() if provider is not None]
    rates = rates_of(pairs, clock.now().date())
    missing: dict[UUID, list[str]] = defaultdict(list)
    for provider, name in sorted(pairs, key=lambda pair: pair[1]):
        if (provider.pk, name) not in rates:
            missing[provider.pk].append(name)
    return missing


def this_month() -> date:
    """The first day of the present month (UTC)."""
    return clock.now().date().replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=31)).replace(day=1)
