"""The bodies and answers of heartbeats, their pings, and ping keys."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.catalog.models import Target
from apps.catalog.serializers import EnvironmentField
from apps.checks.heartbeats.following import SLUG_LENGTH
from apps.checks.heartbeats.representing import ToldSerializer
from apps.checks.models import Check, Ping, PingKey
from apps.checks.selectors import reason_of, verdict_of
from apps.checks.serializers import VisibleTargetField
from apps.core.api.serializers import PortalSerializer
from apps.core.secrets import MASK, unseal
from apps.probes.kinds.heartbeat import YEAR


class HeartbeatSerializer(ToldSerializer):
    """A heartbeat check by itself; its id is the check's. Give `period_seconds`, or `cron` and its `timezone`."""

    id = serializers.UUIDField(read_only=True)
    target = VisibleTargetField(queryset=Target.objects.none(), pk_field=serializers.UUIDField())
    name = serializers.CharField(max_length=200, required=False)
    enabled = serializers.BooleanField(default=True)
    status = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    slug = serializers.CharField(max_length=SLUG_LENGTH, required=False, source="told.slug")
    period_seconds = serializers.IntegerField(
        min_value=1, max_value=YEAR, required=False, allow_null=True, source="told.period_seconds"
    )
    grace_seconds = serializers.IntegerField(min_value=1, max_value=YEAR, required=False, source="told.grace_seconds")
    cron = serializers.CharField(max_length=100, required=False, allow_blank=True, source="told.cron")
    timezone = serializers.CharField(max_length=64, required=False, source="told.timezone")

    def get_status(self, check: Check) -> str:
        return verdict_of(check).value

    def get_reason(self, check: Check) -> str:
        return reason_of(check)


class PingSerializer(PortalSerializer):
    """One ping. `body_bytes` is how large its body was, `cut` whether less was kept."""

    id = serializers.UUIDField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    kind = serializers.CharField(read_only=True)
    exit_status = serializers.IntegerField(read_only=True, allow_null=True)
    run_id = serializers.UUIDField(read_only=True, allow_null=True)
    run_ms = serializers.FloatField(read_only=True, allow_null=True)
    said_ms = serializers.FloatField(read_only=True, allow_null=True)
    method = serializers.CharField(read_only=True)
    dialect = serializers.CharField(read_only=True)
    address = serializers.CharField(read_only=True)
    user_agent = serializers.CharField(read_only=True)
    body_bytes = serializers.IntegerField(read_only=True)
    cut = serializers.SerializerMethodField()

    def get_cut(self, ping: Ping) -> bool:
        kept: int = ping.kept_bytes  # type: ignore[attr-defined] # by selectors.list_pings
        return ping.body_bytes > kept


class PingDetailSerializer(PingSerializer):
    """With the body as text, null for those who may only look: programs write there whatever they like."""

    body = serializers.SerializerMethodField()

    def get_body(self, ping: Ping) -> str | None:
        return bytes(ping.body).decode("utf-8", "replace") if self.context["may_read_body"] else None


class PingKeySerializer(PortalSerializer):
    """A ping key; the key itself for administrators of its environment, masked for everybody else."""

    id = serializers.UUIDField(read_only=True)
    environment = EnvironmentField()
    key = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    closed_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_key(self, key: PingKey) -> str:
        user: Any = self.context["request"].user
        return unseal(key.sealed) if access_of(user).allows(Role.ADMIN, key.environment_id) else MASK
