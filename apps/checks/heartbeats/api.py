"""REST: heartbeats with their pings, and the keys that open them by short name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role, access_of
from apps.accounts.permissions import demand_role
from apps.checks import services as checks
from apps.checks.filters import CheckFilter
from apps.checks.heartbeats import (
    schema,  # noqa: F401 - registers what the OpenAPI page says of checks
    selectors,
    services,
)
from apps.checks.heartbeats.serializers import (
    HeartbeatSerializer,
    PingDetailSerializer,
    PingKeySerializer,
    PingSerializer,
)
from apps.checks.models import Check, PingKey
from apps.core.api.filtering import refuse_unknown_parameters
from apps.core.api.pagination import CursorPagination
from apps.core.api.viewsets import LOOKUP, PortalViewSet

SCHEDULE = ("period_seconds", "grace_seconds", "cron", "timezone")


class PingPagination(CursorPagination):
    ordering = "-at"


class HeartbeatFilter(CheckFilter):
    slug = filters.CharFilter(field_name="heartbeat__slug")


class HeartbeatViewSet(PortalViewSet):
    """Checks that are told instead of looking. Operators see the addresses to ping; viewers see them masked."""

    serializer_class = HeartbeatSerializer
    filterset_class = HeartbeatFilter

    def get_queryset(self) -> QuerySet[Check]:
        rows = Check.objects.visible_to(self.request.user).present().filter(kind=services.KIND)
        return selectors.with_heartbeats(rows).select_related("status_row")

    def create_object(self, data: dict[str, Any]) -> Check:
        target = data.pop("target")
        demand_role(self.request.user, Role.OPERATOR, target.environment_id)
        config = _config({}, data)
        with _FieldsByName():
            return services.create_heartbeat(actor=self._actor, target=target, config=config, **data)

    def update_object(self, instance: Check, data: dict[str, Any]) -> Check:
        if data.pop("target", instance.target) != instance.target:
            raise ValidationError({"target": [_("This cannot be changed; make another check.")]})
        config = _config(instance.config, data)
        with _FieldsByName():
            return services.update_heartbeat(actor=self._actor, check=instance, config=config, **data)

    def delete_object(self, instance: Check) -> None:
        checks.delete_check(actor=self._actor, check=instance)

    @property
    def _actor(self) -> Any:
        return self.request.user

    @extend_schema(request=None, responses=HeartbeatSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """New ping and push addresses; pings to the old ones are answered as unknown."""
        check = self.get_object()
        services.rotate_addresses(actor=self._actor, check=check)
        return Response(self.present(check))

    @extend_schema(responses=PingSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def pings(self, request: Request, pk: str) -> Response:
        """What was told, newest first, without bodies."""
        check = self._object_ignoring_filters()
        refuse_unknown_parameters(request, {"cursor", "limit", "fields"})
        paginator = PingPagination()
        page = paginator.paginate_queryset(selectors.list_pings(check.pk), request, None)
        serializer = PingSerializer(page, many=True, context=self.get_serializer_context())
        return paginator.get_paginated_response(serializer.data)

    @extend_schema(responses=PingDetailSerializer)
    @action(detail=True, methods=["get"], url_path=f"pings/(?P<ping_id>{LOOKUP})", url_name="ping")
    def ping(self, request: Request, pk: str, ping_id: str) -> Response:
        """One ping; its body for operators."""
        check = self._object_ignoring_filters()
        try:
            found = selectors.get_ping(check.pk, UUID(ping_id))
        except ValueError as error:
            raise Http404 from error
        if found is None:
            raise Http404
        may_read_body = access_of(self._actor).allows(Role.OPERATOR, check.target.environment_id)
        context = {**self.get_serializer_context(), "may_read_body": may_read_body}
        return Response(PingDetailSerializer(found, context=context).data)

    def _object_ignoring_filters(self) -> Check:
        check = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, check)
        return check


class _FieldsByName:
    """The services tell of `config.cron`; here the field is called `cron`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, ModelValidationError) and hasattr(error, "error_dict"):
            messages = {name.removeprefix("config."): texts for name, texts in error.message_dict.items()}
            raise ModelValidationError(messages) from error


def _config(stored: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The stored schedule with what was sent. A period alone takes the place of a cron expression.

    Raises ValidationError on `period_seconds` when both were sent.
    """
    sent = {name: data.pop(name) for name in SCHEDULE if name in data}
    if sent.get("period_seconds") is None:
        # As it is shown while a cron expression holds; sent back it says nothing.
        sent.pop("period_seconds", None)
    elif sent.get("cron"):
        raise ValidationError({"period_seconds": [_("Give a period or a cron expression, not both.")]})
    else:
        sent["cron"] = ""
    return {**stored, **sent}


class PingKeyViewSet(PortalViewSet):
    """Keys that open the heartbeats of an environment by short name. Administrators open and close them."""

    serializer_class = PingKeySerializer
    role_for_write = Role.ADMIN
    http_method_names = ["get", "post", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[PingKey]:
        return PingKey.objects.visible_to(self.request.user).select_related("environment")

    def create_object(self, data: dict[str, Any]) -> PingKey:
        demand_role(self.request.user, Role.ADMIN, data["environment"].pk)
        return services.open_ping_key(actor=self._actor, environment=data["environment"])[0]

    def delete_object(self, instance: PingKey) -> None:
        services.close_ping_key(actor=self._actor, key=instance)

    @property
    def _actor(self) -> Any:
        return self.request.user

    @extend_schema(request=None, responses={201: PingKeySerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Close this key and open another for the same environment."""
        key, _plain = services.rotate_ping_key(actor=self._actor, key=self.get_object())
        return Response(self.present(key), status=status.HTTP_201_CREATED)


def register(router: BaseRouter) -> None:
    router.register("heartbeats", HeartbeatViewSet, basename="heartbeat")
    router.register("ping-keys", PingKeyViewSet, basename="ping-key")
