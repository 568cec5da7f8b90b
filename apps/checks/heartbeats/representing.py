"""How a heartbeat is shown wherever a check is: its addresses, its schedule, what was heard last."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.checks.heartbeats import selectors
from apps.checks.heartbeats.selectors import HeartbeatView
from apps.checks.models import Check, Heartbeat
from apps.core.api.serializers import PortalSerializer


class OpenRunSerializer(PortalSerializer):
    """A run that was started and has not ended; `unfinished_at` when it was found to outlast the grace."""

    run_id = serializers.UUIDField(read_only=True, allow_null=True)
    started_at = serializers.DateTimeField(read_only=True)
    unfinished_at = serializers.DateTimeField(read_only=True, allow_null=True)


class ToldSerializer(PortalSerializer):
    """The fields a check has because it is told; a check that looks is shown without them.

    Viewers see addresses masked. The rows must have been fetched through `selectors.with_heartbeats`.
    """

    slug = serializers.CharField(read_only=True, source="told.slug")
    ping_url = serializers.CharField(read_only=True, source="told.ping_url")
    slug_url = serializers.CharField(read_only=True, source="told.slug_url", allow_null=True)
    push_url = serializers.CharField(read_only=True, source="told.push_url")
    push_token = serializers.CharField(read_only=True, source="told.push_token")
    gatus_path = serializers.CharField(read_only=True, source="told.gatus_path")
    period_seconds = serializers.IntegerField(read_only=True, source="told.period_seconds", allow_null=True)
    grace_seconds = serializers.IntegerField(read_only=True, source="told.grace_seconds")
    cron = serializers.CharField(read_only=True, source="told.cron")
    timezone = serializers.CharField(read_only=True, source="told.timezone")
    schedule = serializers.CharField(read_only=True, source="told.schedule")
    last_ping_at = serializers.DateTimeField(read_only=True, source="told.last_ping_at", allow_null=True)
    last_ping_kind = serializers.CharField(read_only=True, source="told.last_ping_kind")
    expected_at = serializers.DateTimeField(read_only=True, source="told.expected_at", allow_null=True)
    deadline_at = serializers.DateTimeField(read_only=True, source="told.deadline_at", allow_null=True)
    open_runs = OpenRunSerializer(many=True, read_only=True, source="told.open_runs")

    def get_fields(self) -> dict[str, Any]:
        """What every check has comes first."""
        fields = super().get_fields()
        return dict(sorted(fields.items(), key=lambda item: item[0] in TOLD_FIELDS))

    def to_representation(self, instance: Check) -> dict[str, Any]:
        told = view_for_caller(instance, cast("dict[str, Any]", self.context))
        setattr(instance, "told", told)  # noqa: B010 - where the fields above look for it
        answer: dict[str, Any] = super().to_representation(instance)
        return answer if told is not None else {name: answer[name] for name in answer if name not in TOLD_FIELDS}


TOLD_FIELDS = frozenset(ToldSerializer._declared_fields)


def view_for_caller(check: Check, context: dict[str, Any]) -> HeartbeatView | None:
    """A heartbeat as the caller may see it; None for a check that has none. One query for all rows of an answer."""
    heartbeat: Heartbeat | None = getattr(check, "heartbeat", None)
    if heartbeat is None:
        return None
    if "ping_keys" not in context:
        context["ping_keys"] = selectors.open_keys()
    keys: dict[UUID, str] = context["ping_keys"]
    return selectors.view_of(check, heartbeat, keys, masked=not _operates(check, context))


def _operates(check: Check, context: dict[str, Any]) -> bool:
    request = context.get("request")
    return request is not None and access_of(request.user).allows(Role.OPERATOR, check.target.environment_id)
