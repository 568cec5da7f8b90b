"""The last look at each check of an AI kind, kept beside its results for whoever lists models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.probes.base import Finished, Outcome


class Look(NamedTuple):
    """One recorded look."""

    check: UUID
    region: UUID
    target: UUID
    kind: str
    outcome: Outcome


def store(looks: Sequence[Look]) -> None:
    """Keep the last one of each check of an AI kind, in the caller's transaction."""


def slower_than_usual(looks: Sequence[tuple[UUID, Finished]], now: datetime) -> dict[str, Finished]:
    """Good looks at models that were far slower than usual for too long, as degraded ones, by check."""
    return {}
