"""REST: what vendors say of themselves on their status pages, beside what was measured."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.catalog.filters import environment_filter
from apps.catalog.status import STATUS_CHOICES
from apps.checks.charts import RANGES, read_period
from apps.checks.models import VendorPage
from apps.checks.vendors.selectors import VendorFacts, facts_of, get_pages, vendor_lines
from apps.checks.vendors.serializers import VendorLinesSerializer, VendorStatusSerializer, lines_document
from apps.core.api.filtering import refuse_unknown_parameters
from apps.core.api.viewsets import ReadOnlyPortalViewSet

_PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="A day before `to` when left out."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Now when left out."),
    OpenApiParameter("range", OpenApiTypes.STR, enum=list(RANGES), description="Up to now, instead of the two."),
]


class VendorStatusFilter(filters.FilterSet):
    environment = environment_filter("provider__target__environment")
    status = filters.ChoiceFilter(choices=STATUS_CHOICES)
    readable = filters.BooleanFilter()


class VendorStatusViewSet(ReadOnlyPortalViewSet):
    """A provider's vendor, by the provider's id. A page is followed once `status_page_url` of the provider is set."""

    serializer_class = VendorStatusSerializer
    filterset_class = VendorStatusFilter

    def get_queryset(self) -> QuerySet[VendorPage]:
        return get_pages(self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "facts": self._facts_of}

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        self._known.update(facts_of(rows or []))
        return rows

    @extend_schema(parameters=_PERIOD, responses=VendorLinesSerializer, filters=False)
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str) -> Response:
        """What the vendor said and what we measured: `?from=&to=` or `?range=1h|24h|7d|30d`, at most 31 days."""
        page = get_object_or_404(self.get_queryset(), pk=pk)
        refuse_unknown_parameters(request, {"from", "to", "range"})
        period = read_period(request.query_params)
        return Response(lines_document(vendor_lines(page.pk, period.start, period.end)))

    @cached_property
    def _known(self) -> dict[UUID, VendorFacts]:
        return {}

    def _facts_of(self, page: VendorPage) -> VendorFacts:
        if page.pk not in self._known:
            self._known.update(facts_of([page]))
        return self._known[page.pk]


def register(router: BaseRouter) -> None:
    router.register("vendor-status", VendorStatusViewSet, basename="vendor-status")
