"""REST: channels and their kinds, notifications with every attempt, replay and test."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.alerts import replaying, selectors, services
from apps.alerts.channels.base import CHANNEL_KINDS
from apps.alerts.filters import ChannelFilter, NotificationFilter
from apps.alerts.lists import narrow, with_story
from apps.alerts.models import Channel, Notification
from apps.alerts.register import api as alerts
from apps.alerts.routes import api as routes
from apps.alerts.ruling import api as rules
from apps.alerts.serializers import (
    ChannelSerializer,
    NotificationDetailSerializer,
    NotificationSerializer,
    ReplayedSerializer,
    ReplaySerializer,
    StartedSerializer,
)
from apps.alerts.silences import api as silences
from apps.core import kindconfig
from apps.core.api.viewsets import PortalViewSet, ReadOnlyPortalViewSet


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class ChannelViewSet(PortalViewSet):
    """Ways to tell somebody. Administrators write; whoever may see the channel's environment reads, without secrets.

    A channel without an environment hears of all of them, so any grant reads it, and writing takes the administrator
    of all environments.
    """

    serializer_class = ChannelSerializer
    filterset_class = ChannelFilter
    role_for_write = Role.ADMIN
    ordering = ("name", "pk")

    def get_queryset(self) -> QuerySet[Channel]:
        return selectors.list_channels(self.request.user)

    def create_object(self, data: dict[str, Any]) -> Channel:
        self._demand_admin_in(data.get("environment"))
        channel, self._shown_once = services.create_channel(actor=self._actor, **data)
        return channel

    def update_object(self, instance: Channel, data: dict[str, Any]) -> Channel:
        if data.pop("kind", instance.kind) != instance.kind:
            raise ValidationError({"kind": [_("This cannot be changed; make another channel.")]})
        if "environment" in data:
            self._demand_admin_in(data["environment"])
        channel, self._shown_once = services.update_channel(actor=self._actor, channel=instance, **data)
        return channel

    def delete_object(self, instance: Channel) -> None:
        services.delete_channel(actor=self._actor, channel=instance)

    def present(self, instance: Any) -> Any:
        """The answer to a write, with the secret the portal has just made, if it made one."""
        answer = super().present(instance)
        return {**answer, "config": self._shown_once} if "config" in answer else answer

    def _demand_admin_in(self, environment: Any) -> None:
        demand_role(self.request.user, Role.ADMIN, environment.pk if environment else None)

    @property
    def _actor(self) -> Any:
        return self.request.user

    @extend_schema(request=None, responses={202: StartedSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send one test message now, tried once; the url says how it went."""
        try:
            notification = services.send_test(actor=self._actor, channel=self.get_object())
        except services.DeliveryConflict as error:
            raise Conflict(str(error)) from error
        return _started(request, notification)


class NotificationViewSet(ReadOnlyPortalViewSet):
    """Deliveries, newest first: who was told what, how it went, and why."""

    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    ordering = ("-created_at", "-pk")

    def get_queryset(self) -> QuerySet[Notification]:
        rows = with_story(selectors.list_notifications(self.request.user))
        return selectors.with_attempts(rows.defer(None)) if self.detail else rows

    def get_serializer_class(self) -> Any:
        return NotificationDetailSerializer if self.detail else NotificationSerializer

    @extend_schema(request=None, responses={202: StartedSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send it once more with the same id; 409 while it is still on its way."""
        actor: Any = request.user
        try:
            notification = services.replay_notification(actor=actor, notification=self.get_object())
        except services.DeliveryConflict as error:
            raise Conflict(str(error)) from error
        return _started(request, notification)

    @extend_schema(
        operation_id="notifications_replay_all", request=ReplaySerializer, responses={202: ReplayedSerializer}
    )
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-dead")
    def replay_dead(self, request: Request) -> Response:
        """Send everything again that was given up and fits the body, each with its id, 10,000 in one call."""
        body = ReplaySerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        asked: dict[str, Any] = dict(body.validated_data)
        actor: Any = request.user
        rows = narrow(replaying.list_replayable(actor), asked)
        replayed = replaying.replay_dead(actor=actor, rows=rows, asked=asked)
        return Response(ReplayedSerializer(replayed).data, status=status.HTTP_202_ACCEPTED)


def _started(request: Request, notification: Notification) -> Response:
    url = request.build_absolute_uri(f"/api/v1/notifications/{notification.pk}/")
    return Response({"id": str(notification.pk), "url": url}, status=status.HTTP_202_ACCEPTED)


class ChannelKindsView(APIView):
    """The kinds of channel, and the JSON Schema of each one's `config`."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        return Response(
            [
                {"kind": name, "label": str(kind.label), "schema": kindconfig.json_schema(kind.Config)}
                for name, kind in CHANNEL_KINDS.items()
            ]
        )


def register(router: BaseRouter) -> None:
    router.register("channels", ChannelViewSet, basename="channel")
    router.register("notifications", NotificationViewSet, basename="notification")
    alerts.register(router)
    routes.register(router)
    rules.register(router)
    silences.register(router)


urlpatterns = [
    path("channel-kinds/", ChannelKindsView.as_view(), name="channel-kinds"),
    *routes.urlpatterns,
    *rules.urlpatterns,
    *silences.urlpatterns,
]
