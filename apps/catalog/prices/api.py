"""REST: the price table."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.accounts.permissions import demand_role
from apps.catalog.models import Price
from apps.catalog.prices import selectors, services
from apps.catalog.prices.serializers import PriceSerializer
from apps.core.api.viewsets import PortalViewSet


class PriceFilter(filters.FilterSet):
    """`?dialect=openai&model=gpt-4o&provider=<id>&search=mini`."""

    provider = filters.UUIDFilter(field_name="provider_id")
    dialect = filters.CharFilter()
    model = filters.CharFilter(lookup_expr="iexact")
    search = filters.CharFilter(field_name="model", lookup_expr="icontains")
    seeded = filters.BooleanFilter()


class PriceViewSet(PortalViewSet):
    """What tokens cost. The most specific price that has begun holds: a provider's before a dialect's, a whole id
    before a beginning, a longer beginning before a shorter, then the latest.

    A price of a dialect is everybody's: operators of all environments write it, operators of its environment that of a
    provider.
    """

    serializer_class = PriceSerializer
    filterset_class = PriceFilter
    role_for_write = Role.OPERATOR
    ordering = ("-valid_from", "-pk")

    def get_queryset(self) -> QuerySet[Price]:
        return selectors.list_prices(self.request.user)

    def create_object(self, data: dict[str, Any]) -> Price:
        self._demand(data.get("provider"))
        return services.create_price(actor=self._actor, **data)

    def update_object(self, instance: Price, data: dict[str, Any]) -> Price:
        if "provider" in data:
            self._demand(data["provider"])
        return services.update_price(actor=self._actor, price=instance, **data)

    def delete_object(self, instance: Price) -> None:
        services.delete_price(actor=self._actor, price=instance)

    def _demand(self, provider: Any) -> None:
        """Whoever makes a price, or gives it to another, may write where it goes."""
        demand_role(self.request.user, Role.OPERATOR, provider.target.environment_id if provider else None)

    @property
    def _actor(self) -> User:
        return cast("User", self.request.user)


def register(router: BaseRouter) -> None:
    router.register("prices", PriceViewSet, basename="price")
