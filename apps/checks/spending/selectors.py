"""Reading what was spent, by target and day, and how far each budget has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from apps.catalog.models import Provider
from apps.catalog.selectors import Viewer

BudgetWord = Literal["none", "ok", "warned", "spent"]
# From this share of the cap on a budget is worth a word.
WARNED_FROM = 0.8


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

    @property
    def remaining(self) -> Decimal | None:
        """What is left of the cap for looks that were not sent yet, never below nothing."""
        return None if self.monthly_cap is None else max(self.monthly_cap - self.spent - self.reserved, Decimal(0))


def spend_month_of(target_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """What each target cost in the present month (UTC); absent: nothing. One query."""
    del target_ids
    return {}


def spend_of_days(
    *, target_ids: Collection[UUID] | None = None, provider_id: UUID | None = None, start: date, end: date
) -> list[SpendOfDay]:
    """What was spent from `start` to `end`, both included, by day and target in order. One query."""
    del target_ids, provider_id, start, end
    return []


def list_budgets(user: Viewer) -> list[BudgetState]:
    """The budget of all together, then one of each provider `user` may see, by name. A fixed number of queries."""
    del user
    return []
