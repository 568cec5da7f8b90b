"""REST: alerts, why somebody was not told, and who has one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.alerts.models import Alert
from apps.alerts.register import selectors, services
from apps.alerts.register.filters import AlertFilter
from apps.alerts.register.serializers import AlertDetailSerializer, AlertSerializer, WhySerializer, explained
from apps.core.api.viewsets import ReadOnlyPortalViewSet


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class AlertViewSet(ReadOnlyPortalViewSet):
    """What is wrong, under one fingerprint a cause, newest first. They begin and end by measurement; people
    acknowledge."""

    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    ordering = ("-started_at", "-pk")

    def get_queryset(self) -> QuerySet[Alert]:
        rows = selectors.list_alerts(self.request.user)
        return selectors.with_details(rows) if self.action == "retrieve" else rows

    def get_serializer_class(self) -> Any:
        return AlertDetailSerializer if self.action in {"retrieve", "acknowledge"} else AlertSerializer

    @extend_schema(responses={200: WhySerializer})
    @action(detail=True, methods=["get"])
    def why(self, request: Request, pk: str) -> Response:
        """Why was I not told? Each channel with everything that was decided for it, oldest first."""
        alert = self.get_object()
        stories = selectors.explain(alert)
        return Response(explained(stories, selectors.summary_of(stories)))

    @extend_schema(request=None, responses={200: AlertDetailSerializer})
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you have it: no more reminders. Again changes nothing; 409 when it is resolved."""
        actor: Any = request.user
        try:
            alert = services.acknowledge_alert(alert=self.get_object(), actor=actor)
        except services.AlertConflict as error:
            raise Conflict(str(error)) from error
        fresh = selectors.with_details(selectors.list_alerts(request.user)).get(pk=alert.pk)
        return Response(AlertDetailSerializer(fresh, context=self.get_serializer_context()).data)


def register(router: BaseRouter) -> None:
    router.register("alerts", AlertViewSet, basename="alert")
