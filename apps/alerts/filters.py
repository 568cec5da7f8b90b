"""Query parameters of the lists of channels and notifications."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.alerts.channels.base import MESSAGE_TYPE_CHOICES, REASON_CHOICES
from apps.alerts.lists import telling_of
from apps.alerts.models import Channel, Notification, kind_choices
from apps.catalog.filters import environment_filter


class ChannelFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=kind_choices)
    enabled = filters.BooleanFilter()
    environment = environment_filter("environment")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Channel
        fields: list[str] = []


class NotificationFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Notification.State.choices)
    channel = filters.UUIDFilter(field_name="channel_id")
    incident = filters.UUIDFilter(field_name="incident_id")
    alert = filters.UUIDFilter(method="telling_of")
    kind = filters.ChoiceFilter(choices=MESSAGE_TYPE_CHOICES)
    reason = filters.ChoiceFilter(choices=REASON_CHOICES)
    environment = environment_filter("environment")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Notification
        fields: list[str] = []

    def telling_of(self, rows: QuerySet[Notification], _name: str, alert: UUID) -> QuerySet[Notification]:
        return telling_of(rows, alert)
