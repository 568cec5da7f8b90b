"""The bodies and answers of channels and notifications."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.alerts import selectors
from apps.alerts.channels.base import CHANNEL_KINDS, MESSAGE_TYPE_CHOICES, REASON_CHOICES, reason_label
from apps.alerts.models import Channel, Notification
from apps.catalog.models import Environment
from apps.catalog.serializers import EnvironmentField, target_brief
from apps.core import kindconfig
from apps.core.api.serializers import PortalSerializer


class ChannelSerializer(PortalSerializer):
    """`config` is what `channel-kinds/` describes. Its secrets are write-only; one the portal makes is in the answer
    to the write that made it, and nowhere else.

    For people: `language` (en or ko), `time_zone`, `wording` (`{"title": "…", "body": "…"}` with placeholders) and
    `quiet_hours` (`[{"days": [0], "start": "22:00", "end": "07:00"}]`, Monday is 0).
    """

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=32)
    config = serializers.JSONField()
    environment = EnvironmentField(required=False, allow_null=True, default=None)
    enabled = serializers.BooleanField(default=True)
    language = serializers.CharField(required=False, max_length=8)
    time_zone = serializers.CharField(required=False, max_length=64)
    wording = serializers.JSONField(required=False)
    quiet_hours = serializers.JSONField(required=False)
    destination = serializers.SerializerMethodField()
    disabled_reason = serializers.CharField(read_only=True)
    failures = serializers.IntegerField(read_only=True)
    open_until = serializers.DateTimeField(read_only=True, allow_null=True)
    last_delivery = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_destination(self, channel: Channel) -> str:
        return CHANNEL_KINDS.get(channel.kind).destination(channel.config) if channel.kind in CHANNEL_KINDS else ""

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_last_delivery(self, channel: Channel) -> dict[str, Any] | None:
        """The newest notification of the channel: `{"id", "state", "reason", "at"}`."""
        if getattr(channel, "last_id", None) is None:
            return None
        row: Any = channel
        return {"id": str(row.last_id), "state": row.last_state, "reason": row.last_reason, "at": row.last_at}

    def to_representation(self, instance: Channel) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(instance)
        if "config" in answer:
            answer["config"] = self._config_for_caller(instance)
        return answer

    def _config_for_caller(self, channel: Channel) -> dict[str, Any]:
        """Masked for everybody; without the URL, which may be a password itself, for those who may only look."""
        if channel.kind not in CHANNEL_KINDS:
            return {}
        struct_type = CHANNEL_KINDS.get(channel.kind).Config
        access = access_of(self.context["request"].user)
        if access.allows(Role.ADMIN, channel.environment_id):
            return kindconfig.mask(struct_type, channel.config)
        return kindconfig.without_private(struct_type, channel.config)


class ChannelBriefSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)


class NotificationSerializer(PortalSerializer):
    """One delivery of one event to one channel."""

    id = serializers.UUIDField(read_only=True)
    channel = ChannelBriefSerializer(read_only=True)
    environment = serializers.SerializerMethodField()
    kind = serializers.CharField(read_only=True)
    incident = serializers.UUIDField(read_only=True, source="incident_id", allow_null=True)
    target = serializers.SerializerMethodField()
    sequence = serializers.IntegerField(read_only=True)
    state = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()
    attempts = serializers.IntegerField(read_only=True)
    attempts_allowed = serializers.IntegerField(read_only=True)
    last_attempt = serializers.SerializerMethodField()
    alert_count = serializers.IntegerField(read_only=True)
    not_before = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_environment(self, notification: Notification) -> str | None:
        environment: Environment | None = notification.environment
        return environment.slug if environment else None

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_target(self, notification: Notification) -> dict[str, Any] | None:
        return target_brief(notification.incident.target if notification.incident else None)

    def get_sentence(self, notification: Notification) -> str:
        return reason_label(notification.reason) if notification.reason else ""

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_last_attempt(self, notification: Any) -> dict[str, Any] | None:
        """`{"at", "duration_ms", "status_code", "reason"}`; null before the first."""
        if notification.last_at is None:
            return None
        names = ("at", "duration_ms", "status_code", "reason")
        values = (notification.last_at, notification.last_ms, notification.last_status, notification.last_reason)
        return dict(zip(names, values, strict=True))


class AttemptSerializer(PortalSerializer):
    """One try. What the receiver answered is for administrators, in the admin."""

    number = serializers.IntegerField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    duration_ms = serializers.FloatField(read_only=True)
    succeeded = serializers.BooleanField(read_only=True)
    status_code = serializers.IntegerField(read_only=True)
    reason = serializers.CharField(read_only=True)


class NotificationDetailSerializer(NotificationSerializer):
    """One delivery with what it says, every attempt (oldest first) and the alerts it tells of (50 at most)."""

    payload = serializers.JSONField(read_only=True)
    attempt_list = AttemptSerializer(many=True, read_only=True, source="attempt_rows")
    alerts = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_alerts(self, notification: Notification) -> list[dict[str, Any]]:
        rows = selectors.list_told(self.context["request"].user, notification)
        return [
            {
                "id": str(alert.pk),
                "cause": alert.cause,
                "severity": alert.severity,
                "target": target_brief(alert.target),
                "started_at": alert.started_at,
                "resolved_at": alert.resolved_at,
            }
            for alert in rows
        ]


class ReplaySerializer(PortalSerializer):
    """Which of the messages that were given up are sent again; without anything, all of them."""

    state = serializers.ChoiceField(choices=[("dead", "dead")], required=False)
    channel = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(choices=MESSAGE_TYPE_CHOICES, required=False)
    reason = serializers.ChoiceField(choices=REASON_CHOICES, required=False)
    incident = serializers.UUIDField(required=False)
    alert = serializers.UUIDField(required=False)
    environment = EnvironmentField(required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


class ReplayedSerializer(PortalSerializer):
    """How many are on their way again, and how many that match were left for another call."""

    count = serializers.IntegerField(read_only=True)
    remaining = serializers.IntegerField(read_only=True)


class StartedSerializer(PortalSerializer):
    """A delivery that is on its way: where to look how it went."""

    id = serializers.UUIDField(read_only=True)
    url = serializers.URLField(read_only=True)
