"""How far each budget has come: what is spent of its cap, and whether a look was refused for want of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db import connection

BudgetWord = Literal["none", "ok", "warned", "spent"]
# From this share of the cap on a budget is worth a word.
WARNED_FROM = 0.8


@dataclass(frozen=True)
class Standing:
    """One budget in one month, in US dollars. `stops`: a look was refused because too little of it is left.

    `estimated` looks named no usage that could be believed; 0 where that was not asked for.
    """

    cap: Decimal | None = None
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    stops: bool = False
    estimated: int = 0

    @property
    def left(self) -> Decimal | None:
        """What is not spent yet; None without a cap."""
        return None if self.cap is None else self.cap - self.spent

    @property
    def share(self) -> float | None:
        """What is spent of the cap: 0.8 is 80 %. Of a cap of nothing all is spent. None without a cap."""
        if self.cap is None:
            return None
        return round(float(self.spent / self.cap), 4) if self.cap else 1.0

    @property
    def word(self) -> BudgetWord:
        share = self.share
        if share is None:
            return "none"
        if share >= 1 or self.stops:
            return "spent"
        return "warned" if share >= WARNED_FROM else "ok"


# A cap without an account yet, and an account without a cap, are budgets too.
_STANDINGS = """
    WITH stopped AS (
        SELECT DISTINCT coalesce(t.namespace, t.id) AS provider_id
        FROM checks_checkregion r JOIN checks_check c ON c.id = r.check_id JOIN catalog_target t ON t.id = c.target_id
        WHERE r.enabled AND r.reason = 'budget_spent' AND r.verdict_since >= %s
    ), known AS (
        SELECT provider_id FROM catalog_budget WHERE monthly_cap IS NOT NULL
        UNION SELECT provider_id FROM checks_budgetmonth WHERE month = %s
        UNION SELECT provider_id FROM stopped
    ), estimates AS (
        SELECT provider_id, sum(estimated_looks) AS looks FROM checks_spendday
        WHERE %s AND day >= %s AND day < %s::date + interval '1 month' GROUP BY GROUPING SETS ((provider_id), ())
    )
    SELECT k.provider_id, b.monthly_cap, coalesce(a.spent, 0), coalesce(a.reserved, 0),
           EXISTS (SELECT 1 FROM stopped s WHERE s.provider_id = k.provider_id), coalesce(e.looks, 0)::int
    FROM known k
    LEFT JOIN catalog_budget b ON b.provider_id IS NOT DISTINCT FROM k.provider_id
    LEFT JOIN checks_budgetmonth a ON a.provider_id IS NOT DISTINCT FROM k.provider_id AND a.month = %s
    LEFT JOIN estimates e ON e.provider_id IS NOT DISTINCT FROM k.provider_id
"""


def load_standings(month: date, *, with_estimates: bool = False) -> dict[UUID | None, Standing]:
    """By provider (None: all together) every budget of which anything is known. One query.

    `with_estimates` counts the estimated looks as well, for whoever shows what was spent: it reads the month's days.
    """
    began = datetime.combine(month, time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, [began, month, with_estimates, month, month, month])
        rows = cursor.fetchall()
    found = {row[0]: Standing(cap=row[1], spent=row[2], reserved=row[3], estimated=row[5]) for row in rows}
    total = found.setdefault(None, Standing())
    for provider, _cap, _spent, _reserved, stopped, _estimated in rows:
        if stopped and provider is not None:
            blamed = provider if stops_first(found[provider], total) else None
            before = found[blamed]
            found[blamed] = replace(before, stops=True)
    return found


def stops_first(provider: Standing, total: Standing) -> bool:
    """Of the two budgets a look needs, the one with less in it stops it: whether that is the provider's own."""
    return provider.left is not None and (total.left is None or provider.left <= total.left)
