"""REST: the guards of regions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.checks.guards import services
from apps.checks.guards.selectors import get_guards
from apps.checks.guards.serializers import GuardSerializer, SavedGuardSerializer
from apps.checks.models.guard import Guard, LineState
from apps.core.api.viewsets import PortalViewSet


class GuardFilter(filters.FilterSet):
    region = filters.CharFilter(field_name="region__slug")
    enabled = filters.BooleanFilter()
    state = filters.ChoiceFilter(choices=LineState)


class GuardViewSet(PortalViewSet):
    """What a region looks at to know whether its own line works. While none of them answers, its failures say nothing.

    Everybody with a role reads, without secrets; administrators of all environments write.
    """

    serializer_class = GuardSerializer
    filterset_class = GuardFilter
    role_for_write = Role.ADMIN

    def get_queryset(self) -> QuerySet[Guard]:
        return get_guards(self.request.user)

    @extend_schema(responses={201: SavedGuardSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)

    @extend_schema(responses={200: SavedGuardSerializer})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    def create_object(self, data: dict[str, Any]) -> Guard:
        demand_role(self.request.user, Role.ADMIN, None)
        return services.create_guard(actor=self._actor, **data)

    def update_object(self, instance: Guard, data: dict[str, Any]) -> Guard:
        for name in ("region", "kind"):
            if data.pop(name, getattr(instance, name)) != getattr(instance, name):
                raise ValidationError({name: [_("This cannot be changed; make another guard.")]})
        return services.update_guard(actor=self._actor, guard=instance, **data)

    def delete_object(self, instance: Guard) -> None:
        services.delete_guard(actor=self._actor, guard=instance)

    def present(self, instance: Any) -> Any:
        """The answer to a write, with what the person who saved it should know."""
        return {**super().present(instance), "warnings": services.warnings_of(instance)}

    @property
    def _actor(self) -> Any:
        return self.request.user


def register(router: BaseRouter) -> None:
    router.register("guards", GuardViewSet, basename="guard")
