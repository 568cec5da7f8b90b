"""What bodies and answers of the catalog hold. The object behind every one but two is a Target."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.fields import LONGEST_KEY, LONGEST_URL
from apps.catalog.models import Environment, Provider, Target, TargetKind
from apps.catalog.provider_fields import MAX_COMPONENTS, cap_of
from apps.catalog.selectors import get_environment
from apps.catalog.status import Status
from apps.core.api.serializers import PortalSerializer

MAX_TAGS = 20
MAX_DEPENDENCIES = 100
MAX_CHOSEN_MODELS = 1_000


@extend_schema_field(OpenApiTypes.STR)
class EnvironmentField(serializers.Field[Environment, str, str, Environment]):
    """Read as its short name; written as short name or id. Only environments the caller may see exist."""

    def to_internal_value(self, data: str) -> Environment:
        user = self.context["request"].user
        environment = get_environment(user, data) if isinstance(data, str) else None
        if environment is None:
            raise serializers.ValidationError(_("There is no such environment; give its short name or id."))
        return environment

    def to_representation(self, value: Environment) -> str:
        return value.slug


class ProviderBriefSerializer(PortalSerializer):
    """A model's provider, for answers that give a target in few words (`Target.provider_brief`)."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


def target_brief(target: Target | None) -> dict[str, Any] | None:
    """A target in few words, `{"id", "kind", "name", "provider"}`; None for none. Reads `target.namespace`."""
    if target is None:
        return None
    return {
        "id": str(target.pk),
        "kind": target.kind,
        "name": target.name,
        "provider": target.provider_brief,
    }


@extend_schema_field(OpenApiTypes.UUID)
class ProviderField(serializers.UUIDField):
    """A provider by id, among those the caller may see."""

    def to_internal_value(self, data: Any) -> Any:
        identifier: UUID = super().to_internal_value(data)
        visible = Provider.objects.visible_to(self.context["request"].user).present()
        provider = visible.select_related("target__environment").filter(pk=identifier).first()
        if provider is None:
            raise serializers.ValidationError(_("There is no such provider."))
        return provider


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
class DependenciesField(serializers.ListField):
    """Targets by id, among those the caller may see."""

    child = serializers.UUIDField()

    def to_internal_value(self, data: Any) -> Any:
        identifiers = set(super().to_internal_value(data))
        visible = Target.objects.visible_to(self.context["request"].user).present()
        found = list(visible.filter(pk__in=identifiers))
        missing = identifiers - {target.pk for target in found}
        if missing:
            names = ", ".join(sorted(str(identifier) for identifier in missing))
            raise serializers.ValidationError(_("There is no such target: %(ids)s.") % {"ids": names})
        return found

    def to_representation(self, data: Any) -> list[str]:
        return [str(target.pk) for target in data.all()]


class EnvironmentSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    slug = serializers.SlugField(max_length=32)
    name = serializers.CharField(max_length=64)
    position = serializers.IntegerField(min_value=0, max_value=32_767, required=False)


class TargetSerializer(PortalSerializer):
    """What every target has. `reason` is the code behind `status`; `status_since` and the rest are UTC."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=TargetKind.choices, read_only=True)
    name = serializers.CharField(max_length=200)
    environment = EnvironmentField(required=False)
    enabled = serializers.BooleanField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), max_length=MAX_TAGS, required=False)
    depends_on = DependenciesField(max_length=MAX_DEPENDENCIES, required=False)
    status = serializers.ChoiceField(
        choices=[status.value for status in Status], source="status_row.status", read_only=True
    )
    status_since = serializers.DateTimeField(source="status_row.since", read_only=True)
    reason = serializers.CharField(source="status_row.reason", read_only=True)
    last_result_at = serializers.DateTimeField(source="status_row.last_result_at", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class NewTargetSerializer(TargetSerializer):
    """For kinds that are made over REST: switches and dependencies are set on what exists."""

    def to_internal_value(self, data: Any) -> Any:
        parsed = super().to_internal_value(data)
        if self.instance is None:
            for name in ("enabled", "depends_on"):
                if name in parsed:
                    raise serializers.ValidationError({name: [_("Set this with PATCH once the target exists.")]})
        return parsed


class CapField(serializers.DecimalField):
    """US dollars a calendar month (UTC); null for no cap. Read from the provider's budget."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_digits=12,
            decimal_places=4,
            min_value=Decimal(0),
            allow_null=True,
            **options,
        )

    def get_attribute(self, instance: Target) -> Any:
        return cap_of(instance.provider)


class ProviderSerializer(NewTargetSerializer):
    """`base_url` left empty is the dialect's own; `monthly_cap` is in US dollars, null for none."""

    dialect = serializers.CharField(source="provider.dialect", max_length=32, required=False)
    base_url = serializers.CharField(
        source="provider.base_url", max_length=LONGEST_URL, required=False, allow_blank=True
    )
    # Not trimmed: a key with a line break was pasted badly, and its owner is told so.
    api_key = serializers.CharField(
        write_only=True, max_length=LONGEST_KEY, required=False, allow_blank=True, trim_whitespace=False
    )
    api_key_set = serializers.SerializerMethodField()
    verify_tls = serializers.BooleanField(source="provider.verify_tls", required=False)
    paid_at_once = serializers.IntegerField(
        source="provider.paid_at_once", min_value=1, max_value=1_000, required=False
    )
    status_page_url = serializers.CharField(
        source="provider.status_page_url", max_length=LONGEST_URL, required=False, allow_blank=True
    )
    status_components = serializers.ListField(
        source="provider.status_components",
        child=serializers.CharField(max_length=200),
        max_length=MAX_COMPONENTS,
        required=False,
    )
    monthly_cap = CapField(required=False)
    last_discovered_at = serializers.DateTimeField(
        source="provider.last_discovered_at", read_only=True, allow_null=True
    )

    def get_api_key_set(self, target: Target) -> bool:
        return bool(target.provider.sealed_api_key)


class ModelSerializer(NewTargetSerializer):
    provider = ProviderField(source="namespace_id")
    provider_name = serializers.CharField(source="model.provider.target.name", read_only=True)
    environment = EnvironmentField(read_only=True)


class ServiceSerializer(NewTargetSerializer):
    url = serializers.CharField(source="service.url", max_length=500, required=False, allow_blank=True)
    description = serializers.CharField(
        source="service.description", max_length=2_000, required=False, allow_blank=True
    )


class DiscoverySerializer(PortalSerializer):
    """Which of the offered models to add: names, or all of them."""

    add = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MAX_CHOSEN_MODELS, required=False
    )
    all = serializers.BooleanField(required=False)


class DriftSerializer(PortalSerializer):
    """The provider's list against the catalog, after adding."""

    offered = serializers.ListField(child=serializers.CharField())
    added = serializers.ListField(child=serializers.CharField())
    missing_here = serializers.ListField(child=serializers.CharField())
    gone_there = serializers.ListField(child=serializers.CharField())
