"""The bodies and answers of channels and notifications."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.alerts.channels.base import CHANNEL_KINDS, reason_label
from apps.alerts.models import Channel, Notification
from apps.catalog.models import Environment
from apps.catalog.serializers import EnvironmentField
from apps.core import kindconfig
from apps.core.api.serializers import PortalSerializer


class ChannelSerializer(PortalSerializer):
    """`config` is what `channel-kinds/` describes. Its secrets are write-only; one the portal makes is in the answer
    to the write that made it, and nowhere else."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=32)
    config = serializers.JSONField()
    environment = EnvironmentField(required=False, allow_null=True, default=None)
    enabled = serializers.BooleanField(default=True)
    destination = serializers.SerializerMethodField()
    disabled_reason = serializers.CharField(read_only=True)
    failures = serializers.IntegerField(read_only=True)
    open_until = serializers.DateTimeField(read_only=True)
    last_delivery = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_destination(self, channel: Channel) -> str:
        return CHANNEL_KINDS.get(channel.kind).destination(channel.config) if channel.kind in CHANNEL_KINDS else ""

    @extend_schema_field(OpenApiTypes.OBJECT)
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
    incident = serializers.UUIDField(read_only=True, source="incident_id")
    target = serializers.SerializerMethodField()
    sequence = serializers.IntegerField(read_only=True)
    state = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()
    attempts = serializers.IntegerField(read_only=True)
    attempts_allowed = serializers.IntegerField(read_only=True)
    not_before = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    finished_at = serializers.DateTimeField(read_only=True)

    def get_environment(self, notification: Notification) -> str | None:
        environment: Environment | None = notification.environment
        return environment.slug if environment else None

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_target(self, notification: Notification) -> dict[str, str] | None:
        incident = notification.incident
        return {"id": str(incident.target_id), "name": incident.target.name} if incident else None

    def get_sentence(self, notification: Notification) -> str:
        return reason_label(notification.reason) if notification.reason else ""


class AttemptSerializer(PortalSerializer):
    """One try. What the receiver answered is for administrators, in the admin."""

    number = serializers.IntegerField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    duration_ms = serializers.FloatField(read_only=True)
    succeeded = serializers.BooleanField(read_only=True)
    status_code = serializers.IntegerField(read_only=True)
    reason = serializers.CharField(read_only=True)


class NotificationDetailSerializer(NotificationSerializer):
    """One delivery with what it says and every attempt, oldest first."""

    payload = serializers.JSONField(read_only=True)
    attempt_list = AttemptSerializer(many=True, read_only=True, source="attempt_rows")


class StartedSerializer(PortalSerializer):
    """A delivery that is on its way: where to look how it went."""

    id = serializers.UUIDField(read_only=True)
    url = serializers.URLField(read_only=True)
