"""What a card says of a provider's models together: the middle and the worst, the money, the vendor's own word."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from django.db import connection
from django.urls import reverse

from apps.accounts.models import User
from apps.checks.models import VendorPage
from apps.checks.spending.selectors import BudgetState, list_budgets

# Of each model the newest look that measured a first token, and the newest that measured a speed. A check somebody
# switched off says nothing of now.
_LATEST = """
    SELECT t.namespace, t.id, t.name,
           (array_agg(s.ttft_ms ORDER BY s.measured_at DESC) FILTER (WHERE s.ttft_ms IS NOT NULL))[1],
           (array_agg(s.output_tokens_per_second ORDER BY s.measured_at DESC)
               FILTER (WHERE s.output_tokens_per_second IS NOT NULL))[1]
    FROM catalog_target t
    JOIN checks_aicheckstate s ON s.target_id = t.id
    JOIN checks_check c ON c.id = s.check_id AND c.enabled AND c.deleted_at IS NULL
    WHERE t.namespace = ANY(%s) AND t.kind = 'model' AND t.deleted_at IS NULL
    GROUP BY t.namespace, t.id, t.name
"""


@dataclass(frozen=True)
class Extreme:
    """The middle over all models that were measured, and the model that does worst; None when none was."""

    middle: float
    worst: float
    worst_name: str
    worst_url: str
    number: int


@dataclass(frozen=True)
class ProviderFigures:
    """First token (ms) and speed (tokens a second) of a provider's models, its budget, and its vendor's page."""

    first_token: Extreme | None = None
    speed: Extreme | None = None
    budget: BudgetState | None = None
    vendor: VendorPage | None = None

    @property
    def is_empty(self) -> bool:
        paid = self.budget is not None and (self.budget.spent or self.budget.monthly_cap is not None)
        return not (self.first_token or self.speed or paid or self.vendor)


def figures_of(user: User, provider_ids: Collection[UUID]) -> dict[UUID, ProviderFigures]:
    """The figures of each of these providers. A fixed number of queries, whatever they hold."""
    identifiers = list(provider_ids)
    if not identifiers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [identifiers])
        rows = cursor.fetchall()
    budgets = {one.provider.pk: one for one in list_budgets(user, identifiers) if one.provider is not None}
    pages = {page.provider_id: page for page in VendorPage.objects.filter(provider__in=identifiers)}
    return {
        identifier: ProviderFigures(
            first_token=_extreme((row[1:3], row[3]) for row in rows if row[0] == identifier),
            speed=_extreme(((row[1:3], row[4]) for row in rows if row[0] == identifier), low_is_worse=True),
            budget=budgets.get(identifier),
            vendor=pages.get(identifier),
        )
        for identifier in identifiers
    }


def _extreme(values: Iterable[tuple[tuple[UUID, str], float | None]], *, low_is_worse: bool = False) -> Extreme | None:
    known = [(model, value) for model, value in values if value is not None]
    if not known:
        return None
    (identifier, name), worst = (min if low_is_worse else max)(known, key=lambda pair: pair[1])
    address = reverse("dashboard:target", args=[identifier])
    return Extreme(median(value for _model, value in known), worst, name, address, len(known))
