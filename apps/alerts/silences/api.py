"""REST: silences, with a look ahead at what one would hush."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.alerts.models import Silence
from apps.alerts.register.api import Conflict
from apps.alerts.silences import selectors, services
from apps.alerts.silences.filters import SilenceFilter
from apps.alerts.silences.serializers import PreviewQuestionSerializer, PreviewSerializer, SilenceSerializer
from apps.core.api.viewsets import PortalViewSet


class SilenceViewSet(PortalViewSet):
    """For a while, nobody is told of what matches; it is measured all the same. What ends last comes first.

    Operators of the environment make, edit and end them; one for all environments takes an operator of all of them.
    What one that has begun hushes stays readable: PATCH moves its end and changes its comment; with other matchers or
    another environment it ends now, and the answer is the silence that takes its place, with another `id`. 409 once
    it has ended.
    """

    serializer_class = SilenceSerializer
    filterset_class = SilenceFilter
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    ordering = ("-ends_at", "-pk")

    def get_queryset(self) -> QuerySet[Silence]:
        return selectors.list_silences(self.request.user)

    def create_object(self, data: dict[str, Any]) -> Silence:
        environment = data["environment"]
        demand_role(self.request.user, Role.OPERATOR, environment.pk if environment else None)
        return services.create_silence(actor=self._actor, **data)

    def update_object(self, instance: Silence, data: dict[str, Any]) -> Silence:
        if "environment" in data:
            environment = data["environment"]
            demand_role(self.request.user, Role.OPERATOR, environment.pk if environment else None)
        try:
            return services.update_silence(actor=self._actor, silence=instance, **data)
        except services.SilenceOver as error:
            raise Conflict(str(error)) from error

    def delete_object(self, instance: Silence) -> None:
        """It ends now, and stays in the list as one that ended."""
        services.end_silence(actor=self._actor, silence=instance)

    @extend_schema(request=None, responses={200: SilenceSerializer})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End it now; one that has ended stays as it is."""
        return Response(self.present(services.end_silence(actor=self._actor, silence=self.get_object())))

    @property
    def _actor(self) -> Any:
        return self.request.user


class PreviewView(APIView):
    """What matchers would hush now: targets and open alerts, counted, with the first 50. Nothing is stored."""

    role_for_write = Role.VIEWER

    @extend_schema(request=PreviewQuestionSerializer, responses={200: PreviewSerializer})
    def post(self, request: Request) -> Response:
        question = PreviewQuestionSerializer(data=request.data, context={"request": request})
        question.is_valid(raise_exception=True)
        user: Any = request.user
        return Response(PreviewSerializer(selectors.preview(user, **question.validated_data)).data)


def register(router: BaseRouter) -> None:
    router.register("silences", SilenceViewSet, basename="silence")


urlpatterns = [path("silences/preview/", PreviewView.as_view(), name="silence-preview")]
