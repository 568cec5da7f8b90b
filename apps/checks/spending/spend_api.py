"""REST: what was spent, by day or month, by provider and by model."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.catalog.filters import find_environment
from apps.checks.spending.serializers import SpendingSerializer, SpendSerializer, SumsSerializer
from apps.checks.spending.spends import DIMENSIONS, SpendQuestion, list_spends, names_of, total_spend
from apps.core import clock
from apps.core.api.filtering import refuse_unknown_parameters

_KNOWN = {"from", "to", "by", "provider", "model", "environment", "cursor", "limit", "fields", "format"}
_DEFAULT_BY = "day,model"
# A list with more than rows; the schema would take it for one row.
_ANSWER = forced_singular_serializer(SpendingSerializer)  # type: ignore[no-untyped-call]
_PARAMETERS = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day (UTC); that of this month when left out."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day (UTC), included; today when left out."),
    OpenApiParameter(
        "by",
        OpenApiTypes.STR,
        default=_DEFAULT_BY,
        description="What to tell apart, with commas between: `day` or `month`, `provider`, `model`.",
    ),
    OpenApiParameter("provider", OpenApiTypes.UUID, description="Only of this provider and its models."),
    OpenApiParameter("model", OpenApiTypes.UUID, description="Only of this model."),
    OpenApiParameter("environment", OpenApiTypes.STR, description="By short name or id."),
]


class SpendingViewSet(viewsets.GenericViewSet[Any]):
    """What paid looks really cost, from the usage providers named, added up by what you name. Days and months are UTC.

    `period` is a day or the first day of a month, the latest first; `total` is of all pages. What `by` does not name is
    null, as is the model of what was asked of a provider itself, and the name of a model that is not there any more.
    """

    serializer_class = SpendSerializer
    filter_backends: list[Any] = []
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="spending_list",
        parameters=_PARAMETERS,
        responses=_ANSWER,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refuse_unknown_parameters(request, _KNOWN)
        SpendSerializer(context=self.get_serializer_context()).check_fields()
        rows = self.paginate_queryset(list_spends(request.user, self._asked)) or []
        serializer = self.get_serializer(
            rows, many=True, context={**self.get_serializer_context(), "names": names_of(rows)}
        )
        answer = self.get_paginated_response(serializer.data)
        answer.data["from"], answer.data["to"] = self._asked.start, self._asked.end
        answer.data["total"] = SumsSerializer(total_spend(request.user, self._asked)).data
        return answer

    @property
    def ordering(self) -> tuple[str, ...]:
        """For the pages: the order the rows are in."""
        return self._asked.ordering

    @cached_property
    def _asked(self) -> SpendQuestion:
        """Raises ValidationError by parameter."""
        today = clock.now().date()
        end = _day(self.request, "to") or today
        # Without a beginning: that of the month it ends in.
        start = _day(self.request, "from") or end.replace(day=1)
        if start > end:
            raise ValidationError({"from": [_("This must not lie after “to”.")]})
        return SpendQuestion(
            start=start,
            end=end,
            by=_dimensions(self.request),
            provider=_identifier(self.request, "provider"),
            model=_identifier(self.request, "model"),
            environment=self._environment(),
        )

    def _environment(self) -> UUID | None:
        name = self.request.query_params.get("environment", "").strip()
        if not name:
            return None
        return find_environment(self.request.user, name).pk


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "").strip()
    if not text:
        return None
    try:
        found: date = serializers.DateField().run_validation(text)
    except serializers.ValidationError:
        raise ValidationError({name: [_("Enter a day, such as 2026-11-21.")]}) from None
    return found


def _dimensions(request: Request) -> frozenset[str]:
    named = {part.strip() for part in request.query_params.get("by", _DEFAULT_BY).split(",") if part.strip()}
    if not named or not named <= set(DIMENSIONS):
        message = _("Name one or more of these, with commas between: %(known)s.") % {"known": ", ".join(DIMENSIONS)}
        raise ValidationError({"by": [message]})
    if {"day", "month"} <= named:
        raise ValidationError({"by": [_("Name “day” or “month”, not both.")]})
    return frozenset(named)


def _identifier(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({name: [_("“%(value)s” is not an id.") % {"value": text[:50]}]}) from None


def register(router: BaseRouter) -> None:
    router.register("spending", SpendingViewSet, basename="spending")
