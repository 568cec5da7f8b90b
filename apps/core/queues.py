"""How long the message queues are and how long their oldest message has waited.

Every message that leaves a process of the portal is stamped with the moment it was sent: Celery keeps none. The stamp
is read where the message lies, so that looking at a queue costs a few bytes whatever its messages weigh.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from celery.signals import before_task_publish
from redis import Redis

PREFIX = "portal:"
SENT_AT = "sent_at"

# Messages are put in at the head and taken from the tail. The body is base64, so only the header can match.
_OLDEST = """
local message = redis.call('LINDEX', KEYS[1], -1)
if not message then return false end
return string.match(message, '"sent_at": ?([%d.]+)') or ''
"""

_now: Callable[[], float] = time.time


def use_clock(now: Callable[[], float]) -> None:
    """Stamp by `now` (Unix seconds): a worker whose machine's clock is off knows the broker's."""
    global _now  # noqa: PLW0603 - one clock a process
    _now = now


@before_task_publish.connect(dispatch_uid="core.queues.stamp")
def stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Write when a message was sent into its header."""
    if headers is not None:
        headers.setdefault(SENT_AT, round(_now(), 3))


@dataclass(frozen=True)
class Queue:
    """Messages that wait, and for how long (in seconds) the oldest has; None when none waits or it bears no stamp."""

    length: int
    oldest_seconds: float | None


def read_queues(client: Redis, names: Iterable[str]) -> dict[str, Queue]:
    """The queues by name, by the broker's clock; one round trip. Raises what redis-py raises."""
    wanted = list(names)
    pipeline = client.pipeline(transaction=False)
    pipeline.time()
    for name in wanted:
        pipeline.llen(f"{PREFIX}{name}")
        pipeline.eval(_OLDEST, 1, f"{PREFIX}{name}")
    (seconds, microseconds), *answers = pipeline.execute()
    now = seconds + microseconds / 1_000_000
    return {
        name: Queue(int(length), None if not sent_at else max(0.0, now - float(sent_at)))
        for name, length, sent_at in zip(wanted, answers[::2], answers[1::2], strict=True)
    }
