"""The bodies and answers of regions, and of the regions of a check."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Region
from apps.checks.regions.selectors import RegionState
from apps.core.api.serializers import PortalSerializer

MOST_REGIONS = 100


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class RegionsField(serializers.ListField):
    """Regions by short name; an unknown one is refused with the list of those there are. An empty list means all."""

    child = serializers.CharField(max_length=32)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > MOST_REGIONS:
            raise serializers.ValidationError(_("Name at most %(most)s regions.") % {"most": MOST_REGIONS})
        slugs = set(super().to_internal_value(data))
        known = {region.slug: region for region in Region.objects.order_by("slug")}
        unknown = sorted(slugs - known.keys())
        if unknown:
            raise serializers.ValidationError(
                _("There is no region “%(unknown)s”; known are %(known)s.")
                % {"unknown": ", ".join(unknown), "known": ", ".join(known)}
            )
        return [known[slug] for slug in sorted(slugs)]

    def to_representation(self, value: Any) -> list[str]:
        return sorted(region.slug for region in value.all())


class KnownField(serializers.Field[Any, Any, Any, Any]):
    """One thing the selector knows of a region, by the field's own name; the rows are asked once an answer."""

    def __init__(self, schema: Any, **options: Any) -> None:
        super().__init__(read_only=True, source="*", **options)
        self._spectacular_annotation = {"field": schema}

    def to_representation(self, value: Region) -> Any:
        known = self.context["known_regions"]().get(value.pk)
        answer = getattr(known, str(self.field_name), None)
        if isinstance(answer, datetime):
            return serializers.DateTimeField().to_representation(answer)
        return [asdict(worker) for worker in answer] if isinstance(answer, list) else answer


def _known(kind: str, **more: Any) -> KnownField:
    return KnownField({"type": kind, "nullable": True, **more})


def _moment() -> KnownField:
    return _known("string", format="date-time")


class RegionSerializer(PortalSerializer):
    """A region and what is heard from it. Everything from `last_heard_at` on is null while nobody can tell."""

    id = serializers.UUIDField(read_only=True)
    slug = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=64)
    enabled = serializers.BooleanField(default=True)
    state = KnownField({"type": "string", "enum": [state.value for state in RegionState]})
    checks = KnownField({"type": "integer"})
    last_result_at = _moment()
    line = KnownField({"type": "string", "enum": ["answers", "lost", "unguarded", "unknown"]})
    line_since = _moment()
    last_heard_at = _moment()
    silent_seconds = _known("number")
    version = _known("string")
    in_flight = _known("integer")
    free_places = _known("integer")
    looks_a_second = _known("number")
    late_ms_p50 = _known("number")
    late_ms_p95 = _known("number")
    late_ms_p99 = _known("number")
    queue_length = _known("integer")
    oldest_message_seconds = _known("number")
    skew_seconds = _known("number")
    key_differs = KnownField({"type": "boolean"})
    workers = KnownField({"type": "array", "items": {"type": "object"}})


class CheckRegionSerializer(PortalSerializer):
    """What one region says of one check."""

    region = serializers.CharField(read_only=True, source="slug")
    name = serializers.CharField(read_only=True)
    verdict = serializers.CharField(read_only=True)
    since = serializers.DateTimeField(read_only=True)
    reason = serializers.CharField(read_only=True)
    sentence = serializers.CharField(read_only=True)
    in_quorum = serializers.BooleanField(read_only=True)
    last_result_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_state = serializers.CharField(read_only=True, allow_null=True)
    last_duration_ms = serializers.FloatField(read_only=True, allow_null=True)
    next_due_at = serializers.DateTimeField(read_only=True)
    lease_until = serializers.DateTimeField(read_only=True, allow_null=True)
    state = serializers.CharField(read_only=True)
    line = serializers.CharField(read_only=True)
