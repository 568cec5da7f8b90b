"""REST: the regions probes run in, with what is heard from their workers."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.accounts.permissions import demand_role
from apps.catalog.models import Region
from apps.checks.regions import selectors, services
from apps.checks.regions.selectors import RegionView
from apps.checks.regions.serializers import RegionSerializer
from apps.checks.regions.warnings import warnings_of_region
from apps.core.api.viewsets import PortalViewSet


class RegionNeeded(APIException):
    status_code = status.HTTP_409_CONFLICT


class RegionViewSet(PortalViewSet):
    """Where probes run, and how their workers are. Writing takes the administrator of the whole installation.

    An answer to a write carries `warnings`: sentences about what was saved and will do nothing.
    """

    serializer_class = RegionSerializer
    role_for_write = Role.ADMIN
    ordering = ("slug",)

    def get_queryset(self) -> QuerySet[Region]:
        return Region.objects.visible_to(self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "known_regions": lambda: self._known}

    def create_object(self, data: dict[str, Any]) -> Region:
        demand_role(self.request.user, Role.ADMIN, None)
        return services.create_region(actor=self._actor, **data)

    def update_object(self, instance: Region, data: dict[str, Any]) -> Region:
        return services.update_region(actor=self._actor, region=instance, **data)

    def delete_object(self, instance: Region) -> None:
        try:
            services.delete_region(actor=self._actor, region=instance)
        except services.RegionInUse as error:
            raise RegionNeeded(str(error)) from error

    def present(self, instance: Any) -> Any:
        return {**super().present(instance), "warnings": warnings_of_region(instance)}

    @cached_property
    def _known(self) -> dict[UUID, RegionView]:
        """Asked once a request, after whatever it wrote."""
        return {region.id: region for region in selectors.get_regions()}

    @property
    def _actor(self) -> User:
        return cast("User", self.request.user)


def register(router: BaseRouter) -> None:
    router.register("regions", RegionViewSet, basename="region")
