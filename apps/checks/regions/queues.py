"""The queues of the broker: how many messages wait in each, and since when the oldest does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis import Redis

from apps.checks.regions.broker import QUEUE_PREFIX, seconds

# In the headers of every message: when it was sent, in Unix seconds.
SENT_AT = "sent_at"


@dataclass(frozen=True)
class QueueView:
    """One queue. `oldest_seconds` is None for an empty one, and for a message that does not say when it was sent."""

    name: str
    length: int
    oldest_seconds: float | None


def read(client: Redis, names: Iterable[str]) -> tuple[float, dict[str, QueueView]]:
    """The broker's time (Unix seconds) and the queues by name. One round trip; raises the errors of the broker."""
    wanted = list(names)
    pipeline = client.pipeline(transaction=False)
    pipeline.time()
    for name in wanted:
        pipeline.llen(f"{QUEUE_PREFIX}{name}")
        # Messages are pushed on the left and taken from the right.
        pipeline.lindex(f"{QUEUE_PREFIX}{name}", -1)
    time, *answers = pipeline.execute()
    now = seconds(time)
    return now, {
        name: QueueView(name, int(length), _age(oldest, now))
        for name, length, oldest in zip(wanted, answers[::2], answers[1::2], strict=True)
    }


def _age(message: bytes | None, now: float) -> float | None:
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        headers: dict[str, Any] = json.loads(message or b"null")["headers"]
        return max(now - float(headers[SENT_AT]), 0.0)
    return None
