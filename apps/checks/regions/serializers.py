"""The bodies and answers of regions, and of the regions of a check."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Region

MOST_REGIONS = 100


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class RegionsField(serializers.ListField):
    """Regions by short name; an unknown one is refused with the list of those there are. An empty list means all."""

    child = serializers.CharField(max_length=32)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_REGIONS, **options)

    def to_internal_value(self, data: Any) -> Any:
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
