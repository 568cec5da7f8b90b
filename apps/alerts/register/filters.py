"""Query parameters of the list of alerts."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.alerts.models import Alert, Severity
from apps.catalog.filters import environment_filter

STATES = ("open", "firing", "acknowledged", "resolved")


class AlertFilter(filters.FilterSet):
    """`state`: "open" is firing or acknowledged; "firing" is open and in nobody's hands."""

    state = filters.ChoiceFilter(choices=[(state, state) for state in STATES], method="by_state")
    severity = filters.ChoiceFilter(choices=Severity.choices)
    environment = environment_filter("environment")
    target = filters.UUIDFilter(field_name="target_id")
    incident = filters.UUIDFilter(field_name="incident_id")
    cause = filters.CharFilter(field_name="cause")

    class Meta:
        model = Alert
        fields: list[str] = []

    def by_state(self, rows: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        if value == "resolved":
            return rows.filter(resolved_at__isnull=False)
        rows = rows.filter(resolved_at__isnull=True)
        return rows if value == "open" else rows.filter(acknowledged_at__isnull=value == "firing")
