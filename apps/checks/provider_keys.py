"""A provider's key serves the checks of the provider and of its models: it is entered once and changed in one place.

A config that has a `base_url` and leaves its `api_key` empty uses the provider's, as long as it asks the provider's own
server: a key never goes to a server it was not given for.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from apps.catalog.models import Provider, Target
from apps.core.secrets import unseal


def provider_of(target: Target) -> Provider | None:
    """The provider a target is, or belongs to; None for anything else."""
    own: Provider | None = getattr(target, "provider", None)
    if own is not None:
        return own
    model = getattr(target, "model", None)
    return model.provider if model is not None else None


def with_provider_key(target: Target, config: dict[str, Any]) -> dict[str, Any]:
    """The opened config with the provider's key where it leaves its own empty. Raises SecretUnreadable."""
    if not config.get("base_url") or config.get("api_key"):
        return config
    provider = provider_of(target)
    if provider is None or not provider.sealed_api_key or not _same_server(provider.base_url, config["base_url"]):
        return config
    return {**config, "api_key": unseal(provider.sealed_api_key)}


def _same_server(one: str, two: str) -> bool:
    first, second = urlsplit(one), urlsplit(two)
    return (first.scheme.lower(), first.netloc.lower()) == (second.scheme.lower(), second.netloc.lower())
