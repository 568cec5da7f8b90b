"""The accounts of a month: what looks really cost, settled in the transaction that records their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.probes.base import Finished


def settle(finished: Sequence[Finished], regions: Mapping[str, UUID], now: datetime) -> None:
    """Turn what was set aside for these looks into what they cost. Does nothing for looks that cost nothing."""
