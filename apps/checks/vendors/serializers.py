"""Vendors' pages as the API shows them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.status import Status
from apps.checks.models import VendorIncident, VendorPage
from apps.checks.vendors.comparing import Verdict
from apps.checks.vendors.selectors import VendorFacts, VendorLines
from apps.core.api.serializers import PortalSerializer


class VendorComponentSerializer(PortalSerializer):
    name = serializers.CharField(read_only=True)
    group = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status], read_only=True)
    mapped = serializers.BooleanField(read_only=True)


class VendorIncidentSerializer(PortalSerializer):
    """`started_at`: by the vendor, often dated back; `said_at`: first written of; `seen_at`: first read by us."""

    id = serializers.CharField(source="external_id", read_only=True)
    name = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status], read_only=True)
    phase = serializers.CharField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True)
    said_at = serializers.DateTimeField(read_only=True, allow_null=True)
    resolved_at = serializers.DateTimeField(read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)
    seen_at = serializers.DateTimeField(read_only=True)
    url = serializers.CharField(read_only=True)


class VendorComparisonSerializer(PortalSerializer):
    """Who said it first: `seconds` between the two, or for how long only one did, and a sentence."""

    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    seconds = serializers.IntegerField()
    seen_at = serializers.DateTimeField(allow_null=True)
    said_at = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField()


class VendorStatusSerializer(PortalSerializer):
    """`id` is the provider's. `status` is unknown while the page is not `readable`; `components` are as last read."""

    id = serializers.UUIDField(source="pk", read_only=True)
    provider = serializers.CharField(source="provider.target.name", read_only=True)
    environment = serializers.CharField(source="provider.target.environment.slug", read_only=True)
    url = serializers.CharField(source="provider.status_page_url", read_only=True)
    format = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status], read_only=True)
    since = serializers.DateTimeField(read_only=True)
    readable = serializers.BooleanField(read_only=True)
    problem = serializers.CharField(read_only=True)
    problem_sentence = serializers.SerializerMethodField()
    description = serializers.CharField(read_only=True)
    components = serializers.SerializerMethodField()
    incidents = serializers.SerializerMethodField()
    comparison = serializers.SerializerMethodField()
    looked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    read_at = serializers.DateTimeField(read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_problem_sentence(self, page: VendorPage) -> str:
        return self._facts(page).problem

    @extend_schema_field(VendorComponentSerializer(many=True))
    def get_components(self, page: VendorPage) -> list[dict[str, Any]]:
        return list(VendorComponentSerializer(self._facts(page).components, many=True, context=self.context).data)

    @extend_schema_field(VendorIncidentSerializer(many=True))
    def get_incidents(self, page: VendorPage) -> list[dict[str, Any]]:
        return incident_rows(self._facts(page).open_incidents)

    @extend_schema_field(VendorComparisonSerializer(allow_null=True))
    def get_comparison(self, page: VendorPage) -> dict[str, Any] | None:
        found = self._facts(page).comparison
        if found is None:
            return None
        return {
            "verdict": found.verdict.value,
            "seconds": round(found.seconds),
            "seen_at": found.seen_at,
            "said_at": found.said_at,
            "sentence": found.sentence,
        }

    def _facts(self, page: VendorPage) -> VendorFacts:
        facts: VendorFacts = self.context["facts"](page)
        return facts


class LinePointSerializer(PortalSerializer):
    """What held from a moment on."""

    at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=[status.value for status in Status])


class VendorLinesSerializer(PortalSerializer):
    """What `lines_document` makes: two lines on one clock, each point until the next, and the vendor's incidents."""

    vendor = LinePointSerializer(many=True)
    ours = LinePointSerializer(many=True)
    incidents = VendorIncidentSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, and cannot be a name in it."""
        ends = {"from": serializers.DateTimeField(), "to": serializers.DateTimeField()}
        return {**ends, **super().get_fields()}


def incident_rows(incidents: list[VendorIncident]) -> list[dict[str, Any]]:
    return list(VendorIncidentSerializer(incidents, many=True).data)


def lines_document(lines: VendorLines) -> dict[str, Any]:
    """`{"from", "to", "vendor", "ours", "incidents"}`; a line is `[{"at", "status"}]`, each until the next."""
    return {
        "from": lines.start,
        "to": lines.end,
        "vendor": [{"at": at, "status": status.value} for at, status in lines.vendor],
        "ours": [{"at": at, "status": status.value} for at, status in lines.ours],
        "incidents": incident_rows(lines.incidents),
    }
