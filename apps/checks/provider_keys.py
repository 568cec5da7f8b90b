"""Where a model is asked and with which key: entered once at the provider, filled in when a look is sent out.

A config may name a server of its own (`base_url`). The provider's dialect, key and certificate rule hold there only if
it is the provider's own server: a key never goes to a server it was not given for.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext as _

from apps.catalog.discovery import base_url_of
from apps.catalog.models import Provider, Target, TargetKind
from apps.core import kindconfig
from apps.core.secrets import unseal
from apps.probes.ai.endpoint import Endpoint
from apps.probes.base import ProbeKind

COMPATIBLE = "openai_compatible"
# Stands in for a key where none is needed, so that none is opened.
_NO_KEY = "-"


def provider_of(target: Target) -> Provider | None:
    """The provider a target is, or belongs to; None for anything else."""
    own: Provider | None = getattr(target, "provider", None)
    if own is not None:
        return own
    model = getattr(target, "model", None)
    return model.provider if model is not None else None


def with_provider(target: Target, kind: ProbeKind[Any], config: dict[str, Any]) -> dict[str, Any]:
    """The opened config with what its target's provider adds. Raises SecretUnreadable."""
    config = _with_key(target, config)
    return {**config, "endpoint": endpoint_of(target, config)} if kind.uses_endpoint else config


def endpoint_of(target: Target, config: dict[str, Any]) -> dict[str, Any]:
    """The `Endpoint` of a look, as plain values; `base_url` is empty when nobody named one. Raises SecretUnreadable."""
    provider = provider_of(target)
    own = str(config.get("base_url") or "")
    at_provider = provider is not None and (not own or _same_server(base_url_of(provider), own))
    if provider is None or not at_provider:
        dialect, base_url, key, verify = COMPATIBLE, own, "", True
    else:
        dialect, base_url = provider.dialect, own or base_url_of(provider)
        key = "" if config.get("api_key") else _key_of(provider)
        verify = provider.verify_tls
    return {
        "dialect": dialect,
        "base_url": base_url.rstrip("/"),
        "api_key": config.get("api_key") or key,
        "model": config.get("model") or ("" if own else _model_of(target)),
        "verify_tls": verify and config.get("verify_tls", True),
    }


def without_an_endpoint(target: Target, kind: ProbeKind[Any], sealed: dict[str, Any]) -> dict[str, list[str]]:
    """What keeps a check of this kind from asking anybody, by field of the form; nothing when all is there."""
    if not kind.uses_endpoint:
        return {}
    plain = kindconfig.unseal(kind.Config, sealed, lambda _sealed: "")
    filled = endpoint_of(target, {**plain, "api_key": _NO_KEY})
    endpoint = msgspec.convert({**filled, "api_key": ""}, Endpoint)
    if not endpoint.base_url:
        has_own = any(part.name == "base_url" for part in kindconfig.form_fields(kind.Config))
        sentence = _("The provider has no base URL, so there is nobody to ask. Enter it at the provider.")
        return {"config.base_url" if has_own else "__all__": [sentence]}
    problem = kind.endpoint_problem(endpoint)
    return {"__all__": [str(problem)]} if problem is not None else {}


def _with_key(target: Target, config: dict[str, Any]) -> dict[str, Any]:
    """The provider's key where the config names the provider's server and leaves its own key empty."""
    if not config.get("base_url") or config.get("api_key"):
        return config
    provider = provider_of(target)
    if provider is None or not _same_server(base_url_of(provider), config["base_url"]):
        return config
    key = _key_of(provider)
    return {**config, "api_key": key} if key else config


def _key_of(provider: Provider) -> str:
    return unseal(provider.sealed_api_key) if provider.sealed_api_key else ""


def _model_of(target: Target) -> str:
    return target.name if target.kind == TargetKind.MODEL else ""


def _same_server(one: str, two: str) -> bool:
    first, second = urlsplit(one), urlsplit(two)
    return (first.scheme.lower(), first.netloc.lower()) == (second.scheme.lower(), second.netloc.lower())
