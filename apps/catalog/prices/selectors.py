"""Reading the price table."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from apps.catalog.models import Price
from apps.catalog.selectors import Viewer


def list_prices(user: Viewer) -> QuerySet[Price]:
    """Prices `user` may see: of all who speak a dialect, and of providers in their environments. One query."""
    rows = Price.objects.visible_to(user).select_related("provider__target__environment")
    return rows.filter(Q(provider__isnull=True) | Q(provider__target__deleted_at__isnull=True))


def price_history(user: Viewer, price: Price) -> QuerySet[Price]:
    """All prices of the same model at the same provider or dialect, the latest first. One query."""
    same = list_prices(user).filter(provider=price.provider_id, dialect=price.dialect, model__iexact=price.model)
    return same.order_by("-valid_from", "-pk")


def in_reading_order(rows: QuerySet[Price]) -> QuerySet[Price]:
    """By dialect, provider and model, the latest first."""
    return rows.order_by("dialect", F("provider__target__name").asc(nulls_first=True), "model", "-valid_from", "pk")
