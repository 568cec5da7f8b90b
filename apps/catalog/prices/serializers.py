"""The bodies and answers of prices."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.catalog.serializers import ProviderField
from apps.core.api.serializers import PortalSerializer

_SENTENCE = "US dollars a million tokens."


class PriceOwnerField(ProviderField):
    """A provider by id, or null: the price of all that speak a dialect."""

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


def _dollars(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=4, help_text=_SENTENCE, **options)


class PriceSerializer(PortalSerializer):
    """What a million tokens cost from `valid_from` (a day, UTC) on, at one `provider` or at all of a `dialect`.

    `model` is an id, or the beginning of some followed by `*`. Without `cached_per_million` cached tokens cost as much
    as others.
    """

    id = serializers.UUIDField(read_only=True)
    provider = PriceOwnerField(required=False, allow_null=True)
    dialect = serializers.CharField(max_length=32, required=False, allow_blank=True)
    model = serializers.CharField(max_length=200)
    input_per_million = _dollars()
    output_per_million = _dollars()
    cached_per_million = _dollars(required=False, allow_null=True)
    valid_from = serializers.DateField(required=False)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)
    seeded = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
