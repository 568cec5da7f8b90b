"""Query parameters of the list of routes."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.alerts.models import Route


class RouteFilter(filters.FilterSet):
    parent = filters.UUIDFilter(field_name="parent_id")
    channel = filters.UUIDFilter(field_name="channels__id")
    enabled = filters.BooleanFilter()
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Route
        fields: list[str] = []
