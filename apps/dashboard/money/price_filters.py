"""What the list of prices is narrowed to, kept in its URL: those that count for one provider, and a part of a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import AIModel, Price, Provider
from apps.catalog.prices.selectors import models_without_price, prices_that_count_for
from apps.catalog.selectors import list_providers
from apps.checks.ai.model_sorts import ModelSort, sort_of

_LONGEST_SEARCH = 200


@dataclass(frozen=True)
class PriceFilters:
    """`providers` are all that the viewer may see, by name; `provider` is the one that was chosen, if any."""

    providers: tuple[Provider, ...]
    provider: Provider | None = None
    model: str = ""

    @property
    def any(self) -> bool:
        return bool(self.provider or self.model)

    @property
    def fields(self) -> list[dict[str, Any]]:
        """As the filter bar takes them."""
        choices = [(str(one.pk), one.target.name) for one in self.providers]
        value = str(self.provider.pk) if self.provider else ""
        return [
            {"name": "model", "label": _("Search in the models"), "kind": "search", "value": self.model},
            {"name": "provider", "label": _("Any provider"), "kind": "select", "value": value, "choices": choices},
        ]

    def chips(self, path: str) -> list[dict[str, str]]:
        """What is in force, each with the page without it."""
        values = {"provider": str(self.provider.pk) if self.provider else "", "model": self.model}
        shown = {"provider": self.provider.target.name if self.provider else "", "model": self.model}
        labels = {"provider": _("Provider"), "model": _("Model")}
        return [
            {"label": labels[name], "value": shown[name], "url": _without(path, values, name)}
            for name in values
            if values[name]
        ]


def read_filters(user: User, query: QueryDict) -> PriceFilters:
    """What stands in the URL; what nobody may see or there is none of is left out. One query."""
    providers = tuple(list_providers(user).order_by("target__name", "pk"))
    try:
        wanted: UUID | None = UUID(query.get("provider", ""))
    except ValueError:
        wanted = None
    chosen = next((provider for provider in providers if provider.pk == wanted), None)
    return PriceFilters(providers, chosen, query.get("model", "").strip().replace("\x00", "")[:_LONGEST_SEARCH])


def narrow(rows: QuerySet[Price], filters: PriceFilters) -> QuerySet[Price]:
    if filters.provider is not None:
        rows = prices_that_count_for(rows, filters.provider)
    return rows.filter(model__icontains=filters.model) if filters.model else rows


def unpriced_models(user: User, filters: PriceFilters) -> list[AIModel]:
    """Models without a price among what the filters leave, but for those that no question of ours suits."""
    return [
        model
        for model in models_without_price(user)
        if sort_of(model.target.name) is not ModelSort.OTHER
        and (filters.provider is None or model.provider_id == filters.provider.pk)
        and filters.model.casefold() in model.target.name.casefold()
    ]


def _without(path: str, values: dict[str, str], name: str) -> str:
    kept = {key: value for key, value in values.items() if value and key != name}
    return f"{path}?{urlencode(kept)}" if kept else path
