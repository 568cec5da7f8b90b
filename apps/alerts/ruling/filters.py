"""Query parameters of the list of rules."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.alerts.models import Rule
from apps.alerts.models.rule import rule_kind_choices
from apps.catalog.filters import environment_filter


class RuleFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=rule_kind_choices)
    enabled = filters.BooleanFilter()
    environment = environment_filter("environment")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Rule
        fields: list[str] = []
