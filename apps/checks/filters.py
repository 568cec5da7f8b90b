"""Query parameters of the lists of checks, incidents and state changes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError

from apps.catalog.models import TargetKind
from apps.catalog.selectors import get_environment
from apps.catalog.status import STATUS_CHOICES
from apps.checks.models import Check, Incident, StateChange, kind_choices


class EnvironmentFilter(filters.CharFilter):
    """An environment by short name or id. One the caller may not see does not exist, and that is an error: an empty
    list would read as if all were well there."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        environment = get_environment(self.parent.request.user, value)
        if environment is None:
            message = _("There is no such environment; give its short name or id.")
            raise ValidationError({"environment": [message]})
        return qs.filter(**{f"{self.field_name}_id": environment.pk})


def environment_filter(path: str) -> EnvironmentFilter:
    """An environment by short name or id, found along `path`."""
    return EnvironmentFilter(field_name=path)


class CheckFilter(filters.FilterSet):
    target = filters.UUIDFilter(field_name="target_id")
    kind = filters.ChoiceFilter(choices=kind_choices)
    enabled = filters.BooleanFilter()
    environment = environment_filter("target__environment")
    status = filters.ChoiceFilter(choices=STATUS_CHOICES, field_name="status_row__verdict")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Check
        fields: list[str] = []


class IncidentFilter(filters.FilterSet):
    target = filters.UUIDFilter(field_name="target_id")
    severity = filters.ChoiceFilter(choices=Incident.Severity.choices)
    environment = environment_filter("target__environment")
    state = filters.ChoiceFilter(
        choices=[("open", "open"), ("acknowledged", "acknowledged"), ("resolved", "resolved")], method="by_state"
    )
    kind = filters.ChoiceFilter(choices=TargetKind.choices, field_name="target__kind")

    class Meta:
        model = Incident
        fields: list[str] = []

    def by_state(self, rows: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        if value == "resolved":
            return rows.filter(resolved_at__isnull=False)
        rows = rows.filter(resolved_at__isnull=True)
        return rows.filter(acknowledged_at__isnull=False) if value == "acknowledged" else rows


class StateChangeFilter(filters.FilterSet):
    target = filters.UUIDFilter(field_name="target_id")
    to_status = filters.ChoiceFilter(choices=STATUS_CHOICES)
    environment = environment_filter("target__environment")
    incident = filters.UUIDFilter(field_name="incident_id")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    until = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = StateChange
        fields: list[str] = []
