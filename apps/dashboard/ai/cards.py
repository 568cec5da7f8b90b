"""What a card says of a provider's models together: the middle and the worst, the money, the vendor's own word."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.urls import reverse

from apps.catalog.models import Provider
from apps.checks.models import VendorPage
from apps.checks.spending.selectors import this_month
from apps.checks.spending.standing import Standing, load_standings

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


class _Model(NamedTuple):
    """What was measured of one model last."""

    identifier: UUID
    name: str
    first_token: float | None
    speed: float | None


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
    budget: Standing = field(default_factory=Standing)
    vendor: VendorPage | None = None

    @property
    def is_empty(self) -> bool:
        paid = self.budget.spent or self.budget.cap is not None
        return not (self.first_token or self.speed or paid or self.vendor)


def figures_of(providers: Collection[Provider]) -> dict[UUID, ProviderFigures]:
    """The figures of each of these providers, read with their `vendor_page`. Two queries, whatever they hold."""
    if not providers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [[provider.pk for provider in providers]])
        models: dict[UUID, list[_Model]] = {}
        for row in cursor.fetchall():
            models.setdefault(row[0], []).append(_Model(*row[1:]))
    standings = load_standings(this_month(), with_estimates=True)
    return {
        provider.pk: ProviderFigures(
            first_token=_extreme((model, model.first_token) for model in models.get(provider.pk, [])),
            speed=_extreme(((model, model.speed) for model in models.get(provider.pk, [])), low_is_worse=True),
            budget=standings.get(provider.pk, Standing()),
            vendor=getattr(provider, "vendor_page", None),
        )
        for provider in providers
    }


def _extreme(values: Iterable[tuple[_Model, float | None]], *, low_is_worse: bool = False) -> Extreme | None:
    known = [(model, value) for model, value in values if value is not None]
    if not known:
        return None
    model, worst = (min if low_is_worse else max)(known, key=lambda pair: pair[1])
    address = reverse("dashboard:target", args=[model.identifier])
    return Extreme(median(value for _model, value in known), worst, model.name, address, len(known))
