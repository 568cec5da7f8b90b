"""Query parameters of the lists of targets."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.catalog.models import Target, TargetKind
from apps.catalog.selectors import get_environment
from apps.catalog.status import Status
from apps.core.api.filtering import ListedFilter


class TargetFilters(django_filters.FilterSet):
    """`?environment=prod&kind=service&status=outage,degraded&enabled=true&tag=web&search=api`."""

    name = django_filters.CharFilter(lookup_expr="iexact")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    environment = django_filters.CharFilter(method="in_environment")
    kind = ListedFilter(choices=TargetKind.values)
    status = ListedFilter(field_name="status_row__status", choices=[status.value for status in Status])
    enabled = django_filters.rest_framework.BooleanFilter()
    tag = django_filters.CharFilter(method="with_tag")

    class Meta:
        model = Target
        fields: list[str] = []

    def in_environment(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        environment = get_environment(self.request.user, value)
        if environment is None:
            raise ValidationError({name: [_("There is no such environment; give its short name or id.")]})
        return queryset.filter(environment=environment)

    def with_tag(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        return queryset.filter(tags__contains=[value])


class ModelFilters(TargetFilters):
    """Also by provider."""

    provider: Any = django_filters.UUIDFilter(field_name="namespace")
