"""Whether this process takes messages of its region, and whether it takes them at all when there are some."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# A queue that holds something while nothing of it is taken for this long: the consumer lost its connection for good.
STUCK_SECONDS = 20.0


class Taking:
    """Opens and shuts one queue of a Celery consumer; calls cross to the consumer's own thread."""

    def __init__(self, consumer: Any, queue: str) -> None:
        self._consumer = consumer
        self._queue = queue
        self.is_open = True

    def follow(self, *, wanted: bool) -> None:
        """Take messages from now on, or leave them to others."""
        if wanted == self.is_open:
            return
        self.is_open = wanted
        change = self._consumer.add_task_queue if wanted else self._consumer.cancel_task_queue
        self._consumer.call_soon(change, self._queue)


class TakingRule:
    """Decides, beat by beat, whether the consumer is stuck. `taken` counts the messages this process was given."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._taken = -1
        self._since: float | None = None

    def is_stuck(self, *, taken: int, waiting: int, is_open: bool) -> bool:
        """Whether messages wait, none was taken for long, and they are ours to take."""
        if taken != self._taken or not waiting or not is_open:
            self._taken, self._since = taken, None
            return False
        now = self._monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since > STUCK_SECONDS
