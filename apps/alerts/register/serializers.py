"""The answers about alerts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.alerts.channels.base import reason_label
from apps.alerts.models import Alert, AlertEvent, Notification
from apps.alerts.routes.serializers import RouteBriefSerializer
from apps.alerts.serializers import ChannelBriefSerializer
from apps.catalog.serializers import target_brief
from apps.core.api.serializers import PortalSerializer


class AlertSerializer(PortalSerializer):
    """One cause, with all that is known of it. `labels` are what routes and silences match."""

    id = serializers.UUIDField(read_only=True)
    fingerprint = serializers.CharField(read_only=True)
    cause = serializers.CharField(read_only=True)
    severity = serializers.CharField(read_only=True)
    state = serializers.SerializerMethodField()
    environment = serializers.SerializerMethodField()
    target = serializers.SerializerMethodField()
    incident = serializers.UUIDField(read_only=True, source="incident_id", allow_null=True)
    labels = serializers.JSONField(read_only=True)
    reason = serializers.CharField(read_only=True)
    detail = serializers.JSONField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True)
    resolved_at = serializers.DateTimeField(read_only=True, allow_null=True)
    resolution = serializers.CharField(read_only=True)
    acknowledged_at = serializers.DateTimeField(read_only=True, allow_null=True)
    acknowledged_by = serializers.SerializerMethodField()
    acknowledged_through = serializers.CharField(read_only=True)
    hold_seconds = serializers.IntegerField(read_only=True)

    def get_state(self, alert: Alert) -> str:
        """`firing`, `acknowledged` or `resolved`."""
        if not alert.is_firing:
            return "resolved"
        return "acknowledged" if alert.acknowledged_at else "firing"

    def get_environment(self, alert: Alert) -> str | None:
        return alert.environment.slug if alert.environment else None

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_target(self, alert: Alert) -> dict[str, Any] | None:
        """`{"id", "kind", "name", "provider"}`, null for what the portal watches of itself.

        `provider` is a model's, `{"id", "name"}`, and null for every other kind.
        """
        return target_brief(alert.target)

    def get_acknowledged_by(self, alert: Alert) -> str | None:
        return alert.acknowledged_by.get_username() if alert.acknowledged_by else None


class SourceSerializer(PortalSerializer):
    """One thing that says so: an incident (`key` is its id), a rule, or the portal itself."""

    kind = serializers.CharField(read_only=True)
    key = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    severity = serializers.CharField(read_only=True)
    detail = serializers.JSONField(read_only=True)
    since = serializers.DateTimeField(read_only=True)
    ended_at = serializers.DateTimeField(read_only=True)


class TimelineSerializer(PortalSerializer):
    kind = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    sequence = serializers.IntegerField(read_only=True)
    severity = serializers.CharField(read_only=True)
    actor = serializers.SerializerMethodField()

    def get_actor(self, event: AlertEvent) -> str | None:
        return event.actor.get_username() if event.actor else None


class MessageSerializer(PortalSerializer):
    """A notification that told of the alert; all of it is at `notifications/{id}/`."""

    id = serializers.UUIDField(read_only=True)
    channel = ChannelBriefSerializer(read_only=True)
    kind = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    finished_at = serializers.DateTimeField(read_only=True)

    def get_sentence(self, notification: Notification) -> str:
        return reason_label(notification.reason) if notification.reason else ""


class AlertDetailSerializer(AlertSerializer):
    """With what says so, every step (oldest first), and the messages that told of it (newest first, at most 100)."""

    sources = SourceSerializer(many=True, read_only=True)
    timeline = TimelineSerializer(many=True, read_only=True, source="events")
    notifications = MessageSerializer(many=True, read_only=True, source="told_by")


# --- Why was I not told? ----------------------------------------------------------------------------------


class DecisionSerializer(PortalSerializer):
    at = serializers.DateTimeField(read_only=True)
    sequence = serializers.IntegerField(read_only=True)
    outcome = serializers.CharField(read_only=True)
    stage = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.CharField(read_only=True)
    detail = serializers.JSONField(read_only=True)
    notification = MessageSerializer(read_only=True, source="delivery", allow_null=True)


class StorySerializer(PortalSerializer):
    """One channel, by the route that led to it. No channel: no route led to any."""

    channel = ChannelBriefSerializer(read_only=True, allow_null=True)
    route = RouteBriefSerializer(read_only=True, allow_null=True)
    told = serializers.BooleanField(read_only=True)
    sentence = serializers.CharField(read_only=True)
    next_look_at = serializers.DateTimeField(read_only=True)
    decisions = DecisionSerializer(many=True, read_only=True)


class WhySerializer(PortalSerializer):
    told = serializers.BooleanField(read_only=True)
    sentence = serializers.CharField(read_only=True)
    channels = StorySerializer(many=True, read_only=True)


def explained(stories: list[Any], sentence: str) -> dict[str, Any]:
    """The answer to "why was I not told?"."""
    told = any(story.told for story in stories)
    return dict(WhySerializer({"told": told, "sentence": sentence, "channels": stories}).data)
