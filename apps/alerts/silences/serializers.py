"""The bodies and answers of silences."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.alerts.models import Alert, Silence
from apps.alerts.silences.services import MAX_COMMENT_CHARACTERS
from apps.catalog.serializers import EnvironmentField, ProviderBriefSerializer, target_brief
from apps.core import clock
from apps.core.api.serializers import PortalSerializer


class SilenceSerializer(PortalSerializer):
    """Without an environment it is for all of them. `starts_at` is now unless it says otherwise."""

    id = serializers.UUIDField(read_only=True)
    environment = EnvironmentField(required=False, allow_null=True, default=None)
    matchers = serializers.JSONField()
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    comment = serializers.CharField(max_length=MAX_COMMENT_CHARACTERS)
    state = serializers.SerializerMethodField()
    author = serializers.SerializerMethodField()
    made_through = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_state(self, silence: Silence) -> str:
        """`scheduled`, `active` or `ended`."""
        now = clock.now()
        if silence.ends_at <= now:
            return "ended"
        return "active" if silence.starts_at <= now else "scheduled"

    def get_author(self, silence: Silence) -> str | None:
        return silence.author.get_username() if silence.author else None


class PreviewQuestionSerializer(PortalSerializer):
    """What a silence would have. Without an environment: all that the caller may see."""

    matchers = serializers.JSONField()
    environment = EnvironmentField(required=False, allow_null=True, default=None)


class HushedTargetSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    kind = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    provider = ProviderBriefSerializer(read_only=True, allow_null=True, source="provider_brief")
    environment = serializers.CharField(read_only=True, source="environment.slug")


class HushedAlertSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    cause = serializers.CharField(read_only=True)
    severity = serializers.CharField(read_only=True)
    environment = serializers.SerializerMethodField()
    target = serializers.SerializerMethodField()
    started_at = serializers.DateTimeField(read_only=True)

    def get_environment(self, alert: Alert) -> str | None:
        return alert.environment.slug if alert.environment else None

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_target(self, alert: Alert) -> dict[str, Any] | None:
        return target_brief(alert.target)


class HushedTargetsSerializer(PortalSerializer):
    count = serializers.IntegerField(read_only=True, source="target_count")
    first = HushedTargetSerializer(many=True, read_only=True, source="targets")


class HushedAlertsSerializer(PortalSerializer):
    count = serializers.IntegerField(read_only=True, source="alert_count")
    first = HushedAlertSerializer(many=True, read_only=True, source="alerts")


class PreviewSerializer(PortalSerializer):
    """What would be hushed now: all of it counted, the first 50 shown."""

    targets = HushedTargetsSerializer(read_only=True, source="*")
    alerts = HushedAlertsSerializer(read_only=True, source="*")
