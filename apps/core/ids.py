"""Ids: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime

# The year 9000: what anybody may write into an id goes further than a datetime does.
_LATEST_SECONDS = 221_845_392_000


def uuid7() -> uuid.UUID:
    """A new id: 48 bits of Unix milliseconds, 12 bits of the fraction (a quarter of a microsecond), 62 random bits.

    The fraction keeps ids of one process in the order they were made, which outboxes claimed in id order rely on.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= (nanoseconds * 4_096 // 1_000_000) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def moment_of(identifier: uuid.UUID) -> datetime | None:
    """When a version 7 id was made (UTC, to the millisecond); None for another version."""
    seconds = (identifier.int >> 80) / 1000
    if identifier.version != 7 or seconds > _LATEST_SECONDS:
        return None
    return datetime.fromtimestamp(seconds, UTC)
