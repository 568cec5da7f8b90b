"""REST: environments, and targets of every kind."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.accounts.permissions import demand_role
from apps.catalog import environments, selectors, services
from apps.catalog.discovery import discover_models
from apps.catalog.filters import ModelFilters, TargetFilters
from apps.catalog.models import Environment, Target, TargetKind
from apps.catalog.prices import api as prices
from apps.catalog.serializers import (
    DiscoverySerializer,
    DriftSerializer,
    EnvironmentSerializer,
    ModelSerializer,
    ProviderSerializer,
    ServiceSerializer,
    TargetSerializer,
)
from apps.core.api.viewsets import PortalViewSet


class EnvironmentViewSet(PortalViewSet):
    """Environments the caller may see. Making and removing them takes the administrator of the whole installation."""

    serializer_class = EnvironmentSerializer
    role_for_write = Role.ADMIN
    ordering = ("position", "pk")
    cache_depends = ("targets",)

    def get_queryset(self) -> QuerySet[Environment]:
        return selectors.list_environments(self.request.user)

    def create_object(self, data: dict[str, Any]) -> Environment:
        demand_role(self.request.user, Role.ADMIN, None)
        return environments.create_environment(actor=_actor(self.request), **data)

    def update_object(self, instance: Environment, data: dict[str, Any]) -> Environment:
        return environments.update_environment(actor=_actor(self.request), environment=instance, **data)

    def delete_object(self, instance: Environment) -> None:
        demand_role(self.request.user, Role.ADMIN, None)
        environments.delete_environment(actor=_actor(self.request), environment=instance)


class TargetViewSet(PortalViewSet):
    """Targets of every kind, with their status. New ones are made under `providers/`, `models/` and `services/`."""

    serializer_class: type[TargetSerializer] = TargetSerializer
    filterset_class: type[TargetFilters] = TargetFilters
    http_method_names = ["get", "patch", "delete", "head", "options"]
    cache_depends = ("targets",)
    kind: TargetKind | None = None

    def get_queryset(self) -> QuerySet[Target]:
        rows = selectors.list_targets(self.request.user).prefetch_related(
            Prefetch("depends_on", queryset=Target.objects.present().order_by("pk"))
        )
        return rows if self.kind is None else rows.filter(kind=self.kind)

    def update_object(self, instance: Target, data: dict[str, Any]) -> Target:
        _refuse_move(instance, data)
        return services.update_target(actor=_actor(self.request), target=instance, **data)

    def delete_object(self, instance: Target) -> None:
        services.delete_target(actor=_actor(self.request), target=instance)

    def _place(self, data: dict[str, Any]) -> Environment | None:
        """The environment a new target goes to, where the caller must be allowed to write."""
        environment = data.get("environment") or selectors.default_environment(self.request.user)
        if environment is None:
            message = _("Say which environment: there is no “%(slug)s” here.") % {"slug": services.DEFAULT_ENVIRONMENT}
            raise ValidationError({"environment": [message]})
        demand_role(self.request.user, Role.OPERATOR, environment.pk)
        return cast("Environment", environment)


_WITH_POST = ["get", "post", "patch", "delete", "head", "options"]


class ProviderViewSet(TargetViewSet):
    """AI model providers. `api_key` is written and never read back; `api_key_set` says whether there is one."""

    serializer_class = ProviderSerializer
    kind = TargetKind.PROVIDER
    http_method_names = _WITH_POST

    def get_queryset(self) -> QuerySet[Target]:
        return super().get_queryset().select_related("provider__budget")

    def create_object(self, data: dict[str, Any]) -> Target:
        fields = {**data, "environment": self._place(data)}
        return services.create_provider(actor=_actor(self.request), **fields).target

    @extend_schema(request=DiscoverySerializer, responses={200: DriftSerializer}, filters=False)
    @action(detail=True, methods=["post"], serializer_class=DiscoverySerializer, filterset_class=None)
    def discover(self, request: Request, **_kwargs: Any) -> Response:
        """Ask the provider for its list of models, add the chosen ones, and show the drift."""
        target = self.get_object()
        body = DiscoverySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        discovery = discover_models(
            actor=_actor(request),
            provider=target.provider,
            add=body.validated_data.get("add", []),
            add_all=body.validated_data.get("all", False),
        )
        return Response(DriftSerializer(discovery).data)


class ModelViewSet(TargetViewSet):
    """AI models. A model lives in its provider's environment."""

    serializer_class = ModelSerializer
    filterset_class = ModelFilters
    kind = TargetKind.MODEL
    http_method_names = _WITH_POST

    def get_queryset(self) -> QuerySet[Target]:
        return super().get_queryset().select_related("model__provider__target")

    def create_object(self, data: dict[str, Any]) -> Target:
        provider = data.pop("provider")
        demand_role(self.request.user, Role.OPERATOR, provider.target.environment_id)
        return services.create_model(actor=_actor(self.request), provider=provider, **data).target


class ServiceViewSet(TargetViewSet):
    """Web services, ports, databases: anything reached over the network."""

    serializer_class = ServiceSerializer
    kind = TargetKind.SERVICE
    http_method_names = _WITH_POST

    def get_queryset(self) -> QuerySet[Target]:
        return super().get_queryset().select_related("service")

    def create_object(self, data: dict[str, Any]) -> Target:
        fields = {**data, "environment": self._place(data)}
        return services.create_service(actor=_actor(self.request), **fields).target


def _actor(request: Request) -> User:
    return cast("User", request.user)


def _refuse_move(instance: Target, data: dict[str, Any]) -> None:
    """A target stays where it was made; naming the place it already has is no change."""
    environment = data.pop("environment", instance.environment)
    if environment != instance.environment:
        raise ValidationError({"environment": [_("A target cannot be moved to another environment.")]})
    provider = data.pop("provider", None)
    if provider is not None and provider.pk != instance.namespace_id:
        raise ValidationError({"provider": [_("A model cannot be moved to another provider.")]})


def register(router: BaseRouter) -> None:
    router.register("environments", EnvironmentViewSet, basename="environment")
    # Providers and models are registered by `checks.ai`, with what looks at them and what was measured.
    router.register("services", ServiceViewSet, basename="service")
    router.register("targets", TargetViewSet, basename="target")
    prices.register(router)
