"""Query parameters of the lists of targets."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.catalog.models import Environment, Target, TargetKind
from apps.catalog.selectors import Viewer, get_environment
from apps.catalog.status import Status
from apps.core.api.filtering import ListedFilter


def find_environment(user: Viewer, text: str) -> Environment:
    """An environment by short name or id. One `user` may not see does not exist, and that is an error: an empty list
    would read as if all were well there. Raises ValidationError on `environment`."""
    found = get_environment(user, text) if "\0" not in text else None
    if found is None:
        raise ValidationError({"environment": [_("There is no such environment; give its short name or id.")]})
    return found


class EnvironmentFilter(django_filters.CharFilter):
    """An environment by short name or id, found along `field_name`."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        environment = find_environment(self.parent.request.user, value)
        return qs.filter(**{f"{self.field_name}_id": environment.pk})


def environment_filter(path: str) -> EnvironmentFilter:
    """The query parameter `environment`, by short name or id, found along `path`."""
    return EnvironmentFilter(field_name=path)


class TargetFilters(django_filters.FilterSet):
    """`?environment=prod&kind=service&status=outage,degraded&enabled=true&tag=web&search=api`."""

    name = django_filters.CharFilter(lookup_expr="iexact")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    environment = environment_filter("environment")
    kind = ListedFilter(choices=TargetKind.values)
    status = ListedFilter(field_name="status_row__status", choices=[status.value for status in Status])
    enabled = django_filters.rest_framework.BooleanFilter()
    tag = django_filters.CharFilter(method="with_tag")

    class Meta:
        model = Target
        fields: list[str] = []

    def with_tag(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        return queryset.filter(tags__contains=[value])


class ModelFilters(TargetFilters):
    """Also by provider."""

    provider: Any = django_filters.UUIDFilter(field_name="namespace")
