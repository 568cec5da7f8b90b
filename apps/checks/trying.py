"""Try it: look once with what stands in the form, saved or not, and show exactly what a run would show.

It runs in the web process, so it is bounded: a short timeout, and only a few at a time. The same probe policy holds as
in the workers, and a look that costs money is paid out of the same budget.
"""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.catalog.models import Target
from apps.checks.provider_keys import with_provider, without_an_endpoint
from apps.checks.services import validate_config
from apps.checks.spending.accounts import settle_now
from apps.checks.spending.admission import admit_now
from apps.core import kindconfig
from apps.core.addresses import probe_policy
from apps.core.secrets import SecretUnreadable, unseal
from apps.probes.base import Outcome, ProbeKind
from apps.probes.runner import run_once

LONGEST_SECONDS = 15.0
# A model may have to be loaded first, and what was paid for is worth waiting for.
LONGEST_PAID_SECONDS = 60.0
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


def longest_seconds(kind: ProbeKind[Any]) -> float:
    """How long trying a check of this kind may take."""
    return LONGEST_PAID_SECONDS if kind.is_paid else LONGEST_SECONDS


def try_check(
    target: Target,
    kind: ProbeKind[Any],
    config: dict[str, Any],
    timeout_seconds: float,
    degraded_after_ms: int | None = None,
    stored: dict[str, Any] | None = None,
) -> Outcome:
    """What one look finds now. `stored` (sealed) supplies secrets that were left out. Nothing is written but its cost.

    Raises ValidationError on `config.<path>`, and on the whole when too many are being tried or no money is left.
    """
    sealed = validate_config(kind, config, stored)
    missing = without_an_endpoint(target, kind, sealed)
    if missing:
        raise ValidationError(missing)
    try:
        opened = kindconfig.unseal(kind.Config, sealed, unseal)
        plain = with_provider(target, kind, opened)
    except SecretUnreadable as error:
        raise ValidationError(str(error)) from error
    if not _places.acquire(blocking=False):
        raise ValidationError(_("Several checks are being tried at the moment. Wait a few seconds, then try again."))
    seconds = min(timeout_seconds, longest_seconds(kind))
    outcome: Outcome | None = None
    try:
        paid_under = admit_now(target=target, kind=kind.name, config=opened, timeout_seconds=seconds)
        try:
            policy = probe_policy(settings.PORTAL_PROBE_DENY)
            outcome = run_once(kind.name, plain, seconds, policy, degraded_after_ms=degraded_after_ms)
        finally:
            settle_now(paid_under, outcome)
        return outcome
    finally:
        _places.release()
