"""Writing silences: one transaction each, with its audit entry."""

from __future__ import annotations

from datetime import datetime

from apps.accounts.models import User
from apps.alerts.models import Silence
from apps.catalog.models import Environment


def create_silence(
    *,
    actor: User | None,
    matchers: object,
    starts_at: datetime | None,
    ends_at: datetime,
    comment: str,
    environment: Environment | None = None,
    made_through: str = "",
) -> Silence:
    """Hush what matches, from `starts_at` (None: now) to `ends_at`. Raises ValidationError by field.

    `made_through`: the channel whose message it was made from, when nobody was signed in.
    """
    raise NotImplementedError


def end_silence(*, actor: User | None, silence: Silence) -> Silence:
    """End it now; one that has ended already stays as it is."""
    raise NotImplementedError
