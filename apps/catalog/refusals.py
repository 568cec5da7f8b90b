"""Why a provider showed no list of its models: kept with it until it shows one, or is asked in another way.

Only the code and the values of its sentence are kept, and nothing of what was sent: the sentence is made when it is
shown, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.models import Provider
from apps.core import clock
from apps.probes.ai.classes import class_of
from apps.probes.evidence import bounded
from apps.probes.reasons import Reason, Text, sentence

ABOUT_THE_KEY = frozenset(
    {Reason.INVALID_KEY, Reason.PERMISSION_DENIED, Reason.QUOTA_EXHAUSTED, Reason.BILLING, Reason.RATE_LIMITED}
)
_FIELDS = ["refused_at", "refusal"]
# What no sentence says: whole answers stay with the looks that judge them.
_LEFT_OUT = frozenset({"body", "headers", "rate_limit"})


@dataclass(frozen=True)
class Refusal:
    """One failed question for the list: its class, what was found, when, and what to do about it."""

    at: datetime
    label: Text
    sentence: str
    advice: str


def keep_refusal(provider: Provider, reason: str, evidence: Mapping[str, Any]) -> None:
    """Remember why there was no list just now. Whoever asked has masked the key in the evidence (`list_models_of`)."""
    told = {name: value for name, value in evidence.items() if name not in _LEFT_OUT}
    provider.refused_at = clock.now()
    provider.refusal = {"reason": str(reason), "evidence": bounded(told)}
    # Whoever changed how it is asked meanwhile is told nothing of what was asked before.
    asked = {name: getattr(provider, name) for name in ("dialect", "base_url", "sealed_api_key", "verify_tls")}
    Provider.objects.filter(pk=provider.pk, **asked).update(refused_at=provider.refused_at, refusal=provider.refusal)


def forget_refusal(provider: Provider) -> list[str]:
    """It showed a list, or is asked another way from now on. Not saved; returns its columns."""
    provider.refused_at, provider.refusal = None, {}
    return _FIELDS


def refusal_of(provider: Provider) -> Refusal | None:
    """The latest refusal, as its reader is told of it; None when the provider showed its list or was not asked."""
    if provider.refused_at is None:
        return None
    reason, evidence = str(provider.refusal.get("reason", "")), dict(provider.refusal.get("evidence", {}))
    found = class_of(reason)
    label = found[0].label if found else Reason(reason).label if reason in Reason._value2member_map_ else reason
    return Refusal(provider.refused_at, label, sentence(reason, evidence), _advice(reason))


def _advice(reason: str) -> str:
    if reason == Reason.INVALID_KEY:
        return _("Edit the provider and enter the key again, or enter the names of its models by hand.")
    if reason in ABOUT_THE_KEY:
        return _("Put its account in order and ask again, or enter the names of its models by hand.")
    return _("Check its address and dialect, ask again, or enter the names of its models by hand.")
