"""REST: budgets, one a provider and one for all together."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import Http404
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.accounts.permissions import demand_role
from apps.catalog.budgets import set_cap
from apps.catalog.models import Provider
from apps.catalog.selectors import list_providers
from apps.checks.spending.selectors import BudgetState, list_budgets
from apps.checks.spending.serializers import TOTAL, BudgetListSerializer, BudgetSerializer, SavedBudgetSerializer
from apps.checks.spending.words import warnings_of
from apps.core.api.filtering import refuse_unknown_parameters
from apps.core.api.viewsets import LOOKUP

# Always whole, in the shape of a page.
_LIST = forced_singular_serializer(BudgetListSerializer)  # type: ignore[no-untyped-call]


class BudgetViewSet(viewsets.GenericViewSet[Any]):
    """What paid looks cost this month, and the most they may cost: of all providers together (`total`), and of each.

    There is one of each from the start, without a cap; `PATCH` sets or lifts it. Operators of a provider's environment
    set its cap, operators of all environments that of all together. The list is always whole, whatever the `limit`.
    """

    serializer_class = BudgetSerializer
    lookup_value_regex = f"{LOOKUP}|{TOTAL}"
    role_for_write = Role.OPERATOR
    http_method_names = ["get", "patch", "head", "options"]
    filter_backends: list[Any] = []
    pagination_class = None

    def get_queryset(self) -> Any:
        return list_providers(self.request.user)

    @extend_schema(operation_id="budgets_list", responses=_LIST)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refuse_unknown_parameters(request, {"fields", "format", "limit"})
        serializer = self.get_serializer(list_budgets(request.user), many=True)
        return Response({"next": None, "previous": None, "results": serializer.data})

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._provider()
        return Response(self.get_serializer(self._budget()).data)

    @extend_schema(responses={200: SavedBudgetSerializer})
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        provider = self._provider()
        demand_role(request.user, Role.OPERATOR, provider.target.environment_id if provider else None)
        body = self.get_serializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        if "monthly_cap" in body.validated_data:
            actor = cast("User", request.user)
            set_cap(actor=actor, provider=provider, monthly_cap=body.validated_data["monthly_cap"])
        budget = self._budget()
        return Response({**self.get_serializer(budget).data, "warnings": warnings_of(budget)})

    def _provider(self) -> Provider | None:
        """Whose budget is asked for; None: that of all together. Http404 outside the caller's grants."""
        if self.kwargs["pk"] == TOTAL:
            if not access_of(self.request.user).allows_somewhere(Role.VIEWER):
                raise Http404
            return None
        try:
            identifier = UUID(self.kwargs["pk"])
        except ValueError as error:
            raise Http404 from error
        provider = cast("Provider | None", self.get_queryset().filter(pk=identifier).first())
        if provider is None:
            raise Http404
        return provider

    def _budget(self) -> BudgetState:
        wanted = self.kwargs["pk"]
        if wanted == TOTAL:
            return list_budgets(self.request.user)[0]
        return list_budgets(self.request.user, [UUID(wanted)])[-1]


def register(router: BaseRouter) -> None:
    router.register("budgets", BudgetViewSet, basename="budget")
