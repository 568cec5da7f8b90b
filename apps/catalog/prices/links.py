"""The way from a model without a price to the form that takes one."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse


def add_price_url(provider_id: UUID, model: str) -> str:
    """The form of a new price, filled in with a provider and one of its models."""
    return f"{reverse('dashboard:settings-price-new')}?{urlencode({'provider': provider_id, 'model': model})}"
