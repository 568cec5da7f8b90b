"""The bodies and answers of routes, and of the question who would be told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.alerts.models import Channel, Route, Severity
from apps.alerts.routes.simulate import SimulatedStep
from apps.alerts.serializers import ChannelBriefSerializer
from apps.core.api.serializers import PortalSerializer

MAX_CHANNELS = 100
MAX_POSITION = 10_000
LONGEST_SECONDS = 7 * 86_400


@extend_schema_field(OpenApiTypes.UUID)
class ParentField(serializers.UUIDField):
    """A route by id; null is the top."""

    def to_internal_value(self, data: Any) -> Any:
        identifier: UUID = super().to_internal_value(data)
        route = Route.objects.visible_to(self.context["request"].user).filter(pk=identifier).first()
        if route is None:
            raise serializers.ValidationError(_("There is no such route."))
        return route

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
class ChannelsField(serializers.ListField):
    """Channels by id, among those the caller may see."""

    child = serializers.UUIDField()

    def to_internal_value(self, data: Any) -> Any:
        identifiers = list(dict.fromkeys(super().to_internal_value(data)))
        visible = Channel.objects.visible_to(self.context["request"].user).present()
        found = {channel.pk: channel for channel in visible.filter(pk__in=identifiers)}
        missing = [str(identifier) for identifier in identifiers if identifier not in found]
        if missing:
            raise serializers.ValidationError(_("There is no such channel: %(ids)s.") % {"ids": ", ".join(missing)})
        return list(found.values())

    def to_representation(self, data: Any) -> list[str]:
        return [str(channel.pk) for channel in data.all()]


def _seconds() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=LONGEST_SECONDS, allow_null=True, required=False)


class RouteSerializer(PortalSerializer):
    """One node of the tree. Null (no channels: an empty list) is what the route above has.

    `group_by` is a list of labels: empty puts all alerts of the route together. `active_times` is
    `[{"days": [0], "start": "08:00", "end": "18:00"}]` in `time_zone`, Monday being 0; empty is always.
    """

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=200)
    parent = ParentField(allow_null=True, required=False)  # type: ignore[assignment]
    position = serializers.IntegerField(min_value=0, max_value=MAX_POSITION, required=False)
    matchers = serializers.JSONField(required=False)
    channels = ChannelsField(max_length=MAX_CHANNELS, required=False)
    group_by = serializers.JSONField(allow_null=True, required=False)
    group_wait_seconds = _seconds()
    group_interval_seconds = _seconds()
    repeat_interval_seconds = _seconds()
    continue_matching = serializers.BooleanField(required=False)
    active_times = serializers.JSONField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    enabled = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class SavedRouteSerializer(RouteSerializer):
    """The answer to a write: with what whoever saved it should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)


# --- Who would be told? -----------------------------------------------------------------------------------


class RouteBriefSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class AddressedQuestionSerializer(PortalSerializer):
    """What an address can ask. Without `at` it is now; without a severity it is critical."""

    target = serializers.UUIDField(required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    at = serializers.DateTimeField(required=False)


class QuestionSerializer(AddressedQuestionSerializer):
    """A target, or the labels of an alert (`{"kind": "service", "tag": ["shop"]}`), or both: labels win."""

    labels = serializers.JSONField(required=False)


class StepSerializer(PortalSerializer):
    """One route that was asked, in reading order. No route: above the first row, for channels in no route."""

    route = RouteBriefSerializer(read_only=True, allow_null=True)
    depth = serializers.IntegerField(read_only=True)
    matched = serializers.BooleanField(read_only=True)
    taken = serializers.BooleanField(read_only=True)
    why = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()

    def get_sentence(self, step: SimulatedStep) -> str:
        return str(step.sentence)


class HeardSerializer(PortalSerializer):
    channel = ChannelBriefSerializer(read_only=True)
    route = RouteBriefSerializer(read_only=True, allow_null=True)
    mode = serializers.CharField(read_only=True)
    group_by = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    group_wait_seconds = serializers.IntegerField(read_only=True)
    group_interval_seconds = serializers.IntegerField(read_only=True)
    repeat_interval_seconds = serializers.IntegerField(read_only=True)
    first_message_at = serializers.DateTimeField(read_only=True)


class HoldSerializer(PortalSerializer):
    """No channel: it holds for all of them. `until` null: nobody knows."""

    stage = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.CharField(read_only=True)
    channel = ChannelBriefSerializer(read_only=True, allow_null=True)
    until = serializers.DateTimeField(read_only=True)
    detail = serializers.JSONField(read_only=True)


class SimulationSerializer(PortalSerializer):
    at = serializers.DateTimeField(read_only=True)
    severity = serializers.CharField(read_only=True)
    labels = serializers.JSONField(read_only=True)
    hold_seconds = serializers.IntegerField(read_only=True)
    path = StepSerializer(many=True, read_only=True, source="steps")
    channels = HeardSerializer(many=True, read_only=True)
    holds = HoldSerializer(many=True, read_only=True)
