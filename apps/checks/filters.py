"""Query parameters of the lists of checks, incidents and state changes."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.catalog.filters import environment_filter
from apps.catalog.models import TargetKind
from apps.catalog.status import STATUS_CHOICES
from apps.checks.models import Check, Incident, StateChange, kind_choices


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
