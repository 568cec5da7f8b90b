"""Try it: look once with what stands in the form, saved or not, and show exactly what a run would show.

It runs in the web process, so it is bounded: a short timeout, and only a few at a time. The same probe policy holds as
in the workers.
"""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.catalog.models import Target
from apps.checks.provider_keys import with_provider_key
from apps.checks.services import validate_config
from apps.core import kindconfig
from apps.core.addresses import probe_policy
from apps.core.secrets import SecretUnreadable, unseal
from apps.probes.base import Outcome, ProbeKind
from apps.probes.runner import run_once

LONGEST_SECONDS = 15.0
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


def try_check(
    target: Target,
    kind: ProbeKind[Any],
    config: dict[str, Any],
    timeout_seconds: float,
    degraded_after_ms: int | None = None,
    stored: dict[str, Any] | None = None,
) -> Outcome:
    """What one look finds now. `stored` (sealed) supplies secrets that were left out. Nothing is written.

    Raises ValidationError on `config.<path>`, and on the whole when too many are being tried.
    """
    sealed = validate_config(kind, config, stored)
    try:
        plain = with_provider_key(target, kindconfig.unseal(kind.Config, sealed, unseal))
    except SecretUnreadable as error:
        raise ValidationError(str(error)) from error
    if not _places.acquire(blocking=False):
        raise ValidationError(_("Several checks are being tried at the moment. Wait a few seconds, then try again."))
    try:
        return run_once(
            kind.name,
            plain,
            min(timeout_seconds, LONGEST_SECONDS),
            probe_policy(settings.PORTAL_PROBE_DENY),
            degraded_after_ms=degraded_after_ms,
        )
    finally:
        _places.release()
