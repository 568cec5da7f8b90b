"""Query parameters of the list of silences."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from apps.alerts.models import Silence
from apps.catalog.filters import environment_filter
from apps.core import clock


class SilenceFilter(filters.FilterSet):
    active = filters.BooleanFilter(method="by_activity")
    environment = environment_filter("environment")
    search = filters.CharFilter(field_name="comment", lookup_expr="icontains")

    class Meta:
        model = Silence
        fields: list[str] = []

    def by_activity(self, rows: QuerySet[Silence], name: str, value: bool) -> QuerySet[Silence]:
        now = clock.now()
        active = Q(starts_at__lte=now, ends_at__gt=now)
        return rows.filter(active if value else ~active)
