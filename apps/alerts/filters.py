"""Query parameters of the lists of channels and notifications."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.alerts.channels.base import MESSAGE_TYPE_CHOICES
from apps.alerts.models import Channel, Notification, kind_choices


class ChannelFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=kind_choices)
    enabled = filters.BooleanFilter()
    environment = filters.CharFilter(field_name="environment__slug")
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")

    class Meta:
        model = Channel
        fields: list[str] = []


class NotificationFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Notification.State.choices)
    channel = filters.UUIDFilter(field_name="channel_id")
    incident = filters.UUIDFilter(field_name="incident_id")
    kind = filters.ChoiceFilter(choices=MESSAGE_TYPE_CHOICES)
    environment = filters.CharFilter(field_name="environment__slug")

    class Meta:
        model = Notification
        fields: list[str] = []
