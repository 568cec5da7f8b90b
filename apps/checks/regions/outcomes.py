"""Counting what became of outcomes: recorded, or dropped and why. Counters in the broker; losing them loses no fact."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from redis import Redis

from apps.checks import recording


class Fate(StrEnum):
    """What becomes of an outcome that arrives."""

    RECORDED = "recorded"
    # Does not open with our key, or is of another shape.
    FORGED = "forged"
    MALFORMED = "malformed"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    # The claim it answers is used up: a message that came twice, a lease that ran out, an edit in between.
    SUPERSEDED = recording.SUPERSEDED
    CHECK_GONE = recording.CHECK_GONE
    UNKNOWN_REGION = recording.UNKNOWN_REGION


def _key(fate: Fate) -> str:
    return f"portal:outcomes:{fate.value}"


def count(client: Redis, numbers: Mapping[Fate, int]) -> None:
    """Add to the counters. One round trip; raises the errors of the broker."""
    pipeline = client.pipeline(transaction=False)
    for fate, number in numbers.items():
        if number:
            pipeline.incrby(_key(fate), number)
    pipeline.execute()


def read(client: Redis) -> dict[str, int]:
    """Every counter by name, 0 where nothing was counted. One round trip; raises the errors of the broker."""
    values = client.mget([_key(fate) for fate in Fate])
    return {fate.value: int(value or 0) for fate, value in zip(Fate, values, strict=True)}
