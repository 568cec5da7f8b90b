"""The bodies and answers of checks, results, incidents and state changes."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.catalog.models import Target
from apps.catalog.serializers import ProviderBriefSerializer
from apps.checks import reasons
from apps.checks.heartbeats.representing import ToldSerializer
from apps.checks.models import Check, CheckResult, Incident, IncidentEvent, StateChange
from apps.checks.regions.serializers import RegionsField
from apps.checks.selectors import reason_of, verdict_of
from apps.checks.services import masked_config, probe_kind
from apps.core import kindconfig
from apps.core.api.serializers import NumberField, PortalSerializer


@extend_schema_field(OpenApiTypes.STR)
class NameOfRelated(serializers.SlugRelatedField[Any]):
    """A related row by one of its texts; the schema cannot tell the type by itself."""


def _username() -> serializers.SlugRelatedField[Any]:
    return NameOfRelated(slug_field="username", read_only=True, allow_null=True)


def _slug() -> serializers.SlugRelatedField[Any]:
    return NameOfRelated(slug_field="slug", read_only=True)


class VisibleTargetField(serializers.PrimaryKeyRelatedField[Target]):
    """A target by id; one outside the caller's grants does not exist."""

    def get_queryset(self) -> Any:
        user = self.context["request"].user
        return Target.objects.visible_to(user).present().select_related("environment")


class CheckSerializer(ToldSerializer):
    id = serializers.UUIDField(read_only=True)
    target = VisibleTargetField(queryset=Target.objects.none(), pk_field=serializers.UUIDField())
    kind = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=200, required=False)
    # What is left out here and below is the kind's own default; some kinds need no config at all.
    config = serializers.JSONField(required=False)
    interval_seconds = serializers.IntegerField(min_value=1, max_value=86_400, required=False)
    retry_interval_seconds = serializers.IntegerField(min_value=1, max_value=3_600, allow_null=True, default=None)
    timeout_seconds = NumberField(min_value=0.1, max_value=120, required=False)
    failure_threshold = serializers.IntegerField(min_value=1, max_value=20, required=False)
    recovery_threshold = serializers.IntegerField(min_value=1, max_value=20, default=1)
    degraded_after_ms = serializers.IntegerField(min_value=1, max_value=120_000, allow_null=True, default=None)
    quorum = serializers.IntegerField(min_value=1, max_value=100, allow_null=True, default=None)
    # Looked at from these; an empty list means every enabled region.
    regions = RegionsField(source="only_regions", required=False)
    affects_status = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(default=True)
    status = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    last_result_at = serializers.DateTimeField(read_only=True, allow_null=True, default=None)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_status(self, check: Check) -> str:
        return verdict_of(check).value

    def get_reason(self, check: Check) -> str:
        return reason_of(check)

    def to_representation(self, instance: Check) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(instance)
        if "config" in answer:
            answer["config"] = self._config_for_caller(instance)
        return answer

    def _config_for_caller(self, check: Check) -> dict[str, Any]:
        """Masked for everybody; without request headers and bodies for those who may only look."""
        config = masked_config(check)
        request = self.context.get("request")
        access = access_of(request.user) if request else None
        if access is None or not access.allows(Role.OPERATOR, check.target.environment_id):
            config = kindconfig.without_private(probe_kind(check.kind).Config, config)
        return config


class ResultSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    region = serializers.UUIDField(read_only=True, source="region_id")
    state = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    duration_ms = serializers.FloatField(read_only=True)
    status_code = serializers.IntegerField(read_only=True, allow_null=True)
    measurements = serializers.JSONField(read_only=True)


class ResultDetailSerializer(ResultSerializer):
    """One result with what it saw, and the sentence that says so."""

    evidence = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_evidence(self, result: CheckResult) -> dict[str, Any]:
        evidence: dict[str, Any] = self.context["evidence"]
        return evidence

    def get_sentence(self, result: CheckResult) -> str:
        return reasons.sentence(result.reason, self.context["evidence"])


class TargetBriefSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    kind = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    provider = ProviderBriefSerializer(read_only=True, allow_null=True, source="provider_brief")
    environment = _slug()


class IncidentSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    target = TargetBriefSerializer(read_only=True)
    severity = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()
    evidence = serializers.JSONField(read_only=True)
    check = serializers.UUIDField(read_only=True, source="source_check_id", allow_null=True)
    opened_at = serializers.DateTimeField(read_only=True)
    acknowledged_at = serializers.DateTimeField(read_only=True, allow_null=True)
    acknowledged_by = _username()
    resolved_at = serializers.DateTimeField(read_only=True, allow_null=True)
    resolution = serializers.CharField(read_only=True)
    not_measured_since = serializers.DateTimeField(read_only=True, allow_null=True)
    previous = serializers.UUIDField(read_only=True, source="previous_id", allow_null=True)

    def get_sentence(self, incident: Incident) -> str:
        return reasons.sentence(incident.reason, incident.evidence)


class IncidentEventSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    kind = serializers.CharField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    sequence = serializers.IntegerField(read_only=True)
    actor = _username()
    text = serializers.CharField(read_only=True)
    change = serializers.JSONField(read_only=True)


class IncidentDetailSerializer(IncidentSerializer):
    """One incident with its timeline, in order."""

    events = serializers.SerializerMethodField()

    @extend_schema_field(IncidentEventSerializer(many=True))
    def get_events(self, incident: Incident) -> Any:
        events = IncidentEvent.objects.filter(incident=incident).select_related("actor").order_by("sequence")
        return IncidentEventSerializer(events, many=True).data


class StateChangeSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    at = serializers.DateTimeField(read_only=True)
    target = TargetBriefSerializer(read_only=True)
    from_status = serializers.CharField(read_only=True)
    to_status = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.SerializerMethodField()
    evidence = serializers.JSONField(read_only=True)
    check = serializers.UUIDField(read_only=True, source="source_check_id", allow_null=True)
    incident = serializers.UUIDField(read_only=True, source="incident_id", allow_null=True)

    def get_sentence(self, change: StateChange) -> str:
        return reasons.sentence(change.reason, change.evidence)


class AcknowledgeSerializer(PortalSerializer):
    text = serializers.CharField(max_length=5_000, required=False, allow_blank=True, default="")


class ResolveSerializer(AcknowledgeSerializer):
    force = serializers.BooleanField(default=False)


class NoteSerializer(PortalSerializer):
    text = serializers.CharField(max_length=5_000)


class RunSerializer(PortalSerializer):
    """The answer to a run that was asked for: where its result will be."""

    id = serializers.UUIDField(read_only=True)
    url = serializers.CharField(read_only=True)


class PendingSerializer(PortalSerializer):
    state = serializers.ChoiceField(choices=["pending", "expired"], read_only=True)
