"""Asking a provider which models it offers, and bringing the catalog and its list together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Provider, Target, TargetKind
from apps.catalog.refusals import ABOUT_THE_KEY, forget_refusal, keep_refusal
from apps.catalog.selectors import get_drift
from apps.catalog.services import create_model
from apps.core import clock
from apps.core.addresses import probe_policy
from apps.core.outbound import OutboundError
from apps.core.secrets import SecretUnreadable, unseal
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.endpoint import Endpoint
from apps.probes.kinds.ai_models import NoModelList, list_models_of
from apps.probes.reasons import sentence

_MAX_NAME = 200


@dataclass(frozen=True)
class Discovery:
    """Names in order: what the provider offers, what was added now, and what still differs."""

    offered: list[str]
    added: list[str]
    missing_here: list[str]
    gone_there: list[str]


def discover_models(
    *, actor: User | None, provider: Provider, add: Iterable[str] = (), add_all: bool = False
) -> Discovery:
    """Ask the provider, remember the list, add the chosen models. Waits up to 15 s for the provider.

    Raises ValidationError on `base_url` or `api_key` when the list cannot be had, on `add` for a name not offered.
    """
    offered = fetch_offered(provider)
    chosen = offered if add_all else list(dict.fromkeys(add))
    unknown = sorted(set(chosen) - set(offered))
    if unknown:
        raise ValidationError({"add": [_("The provider does not offer %(names)s.") % {"names": ", ".join(unknown)}]})
    with transaction.atomic():
        added = _add(actor, provider, chosen)
        provider.offered_models = offered
        provider.last_discovered_at = clock.now()
        provider.save(update_fields=["offered_models", "last_discovered_at", *forget_refusal(provider)])
    drift = get_drift(provider, offered)
    return Discovery(drift.offered, added, drift.missing_here, drift.gone_there)


def _add(actor: User | None, provider: Provider, names: list[str]) -> list[str]:
    """Those that were not there yet; names differ by more than case."""
    # The provider's row is the lock: two discoveries at once would both find a model missing.
    Provider.objects.select_for_update().get(pk=provider.pk)
    present = Target.objects.present().filter(kind=TargetKind.MODEL, namespace=provider.pk)
    taken = {name.lower() for name in present.values_list("name", flat=True)}
    added = []
    for name in sorted(names):
        if name.lower() not in taken:
            create_model(actor=actor, provider=provider, name=name)
            taken.add(name.lower())
            added.append(name)
    return added


def fetch_offered(provider: Provider) -> list[str]:
    """The model names in the provider's own list, sorted. Raises ValidationError on `base_url` or `api_key`.

    Why there is no list stays with the provider (`refusals`).
    """
    base_url = base_url_of(provider)
    if not base_url:
        raise ValidationError({"base_url": [_("Enter the provider's base URL first, such as https://host/v1.")]})
    try:
        key = unseal(provider.sealed_api_key)
    except SecretUnreadable as error:
        raise ValidationError({"api_key": [str(error)]}) from error
    endpoint = Endpoint(
        dialect=provider.dialect, base_url=base_url.rstrip("/"), api_key=key, verify_tls=provider.verify_tls
    )
    try:
        names = list_models_of(endpoint, policy=probe_policy(settings.PORTAL_PROBE_DENY))
    except OutboundError as error:
        keep_refusal(provider, error.reason, error.evidence)
        raise ValidationError({"base_url": [sentence(error.reason, error.evidence)]}) from error
    except NoModelList as error:
        outcome = error.outcome
        keep_refusal(provider, outcome.reason, outcome.evidence)
        field = "api_key" if outcome.reason in ABOUT_THE_KEY else "base_url"
        raise ValidationError({field: [sentence(outcome.reason, outcome.evidence)]}) from error
    return [name for name in names if _is_name(name)]


def base_url_of(provider: Provider) -> str:
    """Where the provider's API begins: what was entered, else its dialect's own address; may be empty."""
    if provider.base_url or provider.dialect not in AI_DIALECTS:
        return provider.base_url
    return AI_DIALECTS.get(provider.dialect).default_base_url


def _is_name(name: str) -> bool:
    """What could not be a target's name is left out rather than offered and refused."""
    return 0 < len(name) <= _MAX_NAME and name.isprintable() and name == name.strip()
