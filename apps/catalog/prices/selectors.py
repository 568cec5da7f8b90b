"""Reading the price table."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from apps.catalog.models import AIModel, Price, Provider
from apps.catalog.prices.lookup import dialects_of, rates_of
from apps.catalog.selectors import Viewer, list_models
from apps.core import clock


def list_prices(user: Viewer) -> QuerySet[Price]:
    """Prices `user` may see: of all who speak a dialect, and of providers in their environments. One query."""
    rows = Price.objects.visible_to(user).select_related("provider__target__environment")
    return rows.filter(Q(provider__isnull=True) | Q(provider__target__deleted_at__isnull=True))


def price_history(user: Viewer, price: Price) -> QuerySet[Price]:
    """All prices of the same model at the same provider or dialect, the latest first. One query."""
    same = list_prices(user).filter(provider=price.provider_id, dialect=price.dialect, model__iexact=price.model)
    return same.order_by("-valid_from", "-pk")


def prices_that_count_for(rows: QuerySet[Price], provider: Provider) -> QuerySet[Price]:
    """Of `rows` those that may hold for models of `provider`: its own, and those of the dialects it pays by."""
    spoken = dialects_of(provider.dialect, provider.base_url)
    return rows.filter(Q(provider=provider) | Q(provider__isnull=True, dialect__in=spoken))


def models_without_price(user: Viewer) -> list[AIModel]:
    """Models `user` may see of which no price is known today, by name, with provider and environment. Two queries."""
    models = list(list_models(user).order_by("target__name", "provider__target__name", "pk"))
    rates = rates_of([(model.provider, model.target.name) for model in models], clock.now().date())
    return [model for model in models if (model.provider_id, model.target.name) not in rates]


def in_reading_order(rows: QuerySet[Price]) -> QuerySet[Price]:
    """By dialect, provider and model, the latest first."""
    return rows.order_by("dialect", F("provider__target__name").asc(nulls_first=True), "model", "-valid_from", "pk")
