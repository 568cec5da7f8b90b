"""The bodies and answers of guards."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.access import Role, access_of
from apps.catalog.models import Region
from apps.checks.guards.selectors import config_for, sentence_of
from apps.checks.guards.services import LONGEST_SECONDS, SHORTEST_SECONDS
from apps.checks.models.guard import Guard
from apps.core.api.serializers import NumberField, PortalSerializer


@extend_schema_field(OpenApiTypes.STR)
class RegionField(serializers.Field[Region, str, str, Region]):
    """One region by short name; an unknown one is refused with the list of those there are."""

    def to_internal_value(self, data: str) -> Region:
        known = {region.slug: region for region in Region.objects.order_by("slug")}
        if not isinstance(data, str) or data not in known:
            raise serializers.ValidationError(
                _("There is no region “%(unknown)s”; known are %(known)s.")
                % {"unknown": str(data)[:100], "known": ", ".join(known)}
            )
        return known[data]

    def to_representation(self, value: Region) -> str:
        return value.slug


class GuardSerializer(PortalSerializer):
    """`config` is what `check-kinds/` describes for the kind; secrets in it are write-only."""

    id = serializers.UUIDField(read_only=True)
    region = RegionField()
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=32)
    config = serializers.JSONField()
    timeout_seconds = NumberField(min_value=SHORTEST_SECONDS, max_value=LONGEST_SECONDS, default=3)
    enabled = serializers.BooleanField(default=True)
    state = serializers.CharField(read_only=True)
    since = serializers.DateTimeField(read_only=True, allow_null=True)
    sentence = serializers.SerializerMethodField()
    last_looked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_sentence(self, guard: Guard) -> str:
        return sentence_of(guard)

    def to_representation(self, instance: Guard) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(instance)
        if "config" in answer:
            # A region belongs to no environment, so what is not for everybody is for operators of all of them.
            sees_all = access_of(self.context["request"].user).allows(Role.OPERATOR, None)
            answer["config"] = config_for(instance, private=sees_all)
        return answer


class SavedGuardSerializer(GuardSerializer):
    """The answer to a write: with what the person who saved it should know."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)
