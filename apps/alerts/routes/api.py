"""REST: the tree of routes, and who would be told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from apps.accounts.access import Role
from apps.accounts.permissions import demand_role
from apps.alerts.models import Route
from apps.alerts.routes import selectors, services
from apps.alerts.routes.filters import RouteFilter
from apps.alerts.routes.serializers import (
    AddressedQuestionSerializer,
    QuestionSerializer,
    RouteSerializer,
    SavedRouteSerializer,
    SimulationSerializer,
)
from apps.alerts.routes.simulate import simulate
from apps.alerts.routes.warnings import takes_everything
from apps.core.api.filtering import refuse_unknown_parameters
from apps.core.api.viewsets import PortalViewSet


class RouteViewSet(PortalViewSet):
    """The tree that leads alerts to channels. Siblings are asked in order of `position`; the first that matches takes
    the alert, unless it says to continue.

    Everybody with a role reads; administrators of all environments write. `warnings` of an answer to a write say what
    was saved and will not do what one may expect of it.
    """

    serializer_class = RouteSerializer
    filterset_class = RouteFilter
    role_for_write = Role.ADMIN
    ordering = ("position", "pk")

    def get_queryset(self) -> QuerySet[Route]:
        return selectors.list_routes(self.request.user)

    @extend_schema(responses={201: SavedRouteSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)

    @extend_schema(responses={200: SavedRouteSerializer})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    def create_object(self, data: dict[str, Any]) -> Route:
        demand_role(self.request.user, Role.ADMIN, None)
        route, warnings = services.create_route(actor=self._actor, **data)
        self._warnings = [*takes_everything(route), *warnings]
        return route

    def update_object(self, instance: Route, data: dict[str, Any]) -> Route:
        route, warnings = services.update_route(actor=self._actor, route=instance, **data)
        # The page asks beforehand; here it is said afterwards, where it may be news.
        self._warnings = [*(takes_everything(route) if {"matchers", "enabled"} & set(data) else []), *warnings]
        return route

    def delete_object(self, instance: Route) -> None:
        services.delete_route(actor=self._actor, route=instance)

    def present(self, instance: Any) -> Any:
        return {**super().present(instance), "warnings": self._warnings}

    @property
    def _actor(self) -> Any:
        return self.request.user


class SimulateView(APIView):
    """Who would be told of an alert: its path through the tree with why each route did or did not take it, the
    channels with their times, and what would hold it now. Nothing is stored or sent."""

    # Asking changes nothing, also when the question is too long for an address.
    role_for_write = Role.VIEWER

    @extend_schema(parameters=[AddressedQuestionSerializer], responses={200: SimulationSerializer})
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, {"target", "severity", "at", "format"})
        return self._answer(request, request.query_params.dict())

    @extend_schema(request=QuestionSerializer, responses={200: SimulationSerializer})
    def post(self, request: Request) -> Response:
        return self._answer(request, request.data)

    def _answer(self, request: Request, data: Any) -> Response:
        question = QuestionSerializer(data=data, context={"request": request})
        question.is_valid(raise_exception=True)
        user: Any = request.user
        simulation = simulate(user, **question.validated_data)
        return Response(SimulationSerializer(simulation).data)


def register(router: BaseRouter) -> None:
    router.register("routes", RouteViewSet, basename="route")


urlpatterns = [path("routes/simulate/", SimulateView.as_view(), name="route-simulate")]
