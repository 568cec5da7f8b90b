"""Handing outcomes over: judged and delivered on a thread of their own, every 200 or every 250 ms.

The thread sleeps until a batch is complete. Woken by each look that ends, it would compete with the loops for the
interpreter just while they measure.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from apps.probes.base import Finished
from apps.probes.engine.work import Done
from apps.probes.runner import surprised

logger = logging.getLogger(__name__)

BATCH = 200
BATCH_SECONDS = 0.25
_FIRST_RETRY_SECONDS = 0.2
_LAST_RETRY_SECONDS = 5.0

Deliver = Callable[[list[Finished]], None]


class Delivery(threading.Thread):
    """Collects what the loops finish. `settled(n)` is called when n outcomes need no more room.

    `deliver` may block and may raise: it is asked again with the same outcomes, until `give_up_seconds` have passed;
    by then every lease is over and the results would be dropped as superseded anyway.
    """

    def __init__(self, deliver: Deliver, *, settled: Callable[[int], None], give_up_seconds: float = 60.0) -> None:
        super().__init__(name="probe-delivery", daemon=True)
        self._deliver = deliver
        self._settled = settled
        self._give_up_seconds = give_up_seconds
        self._queue: deque[Done] = deque()
        # Guards nothing: `deque` needs none. It says when there is something, and when there is a batch.
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self.delivered = 0
        self.dropped = 0
        self.failures = 0
        self._judging_since: float | None = None

    def put(self, done: Done) -> None:
        """Take one over; returns at once."""
        with self._changed:
            self._queue.append(done)
            if len(self._queue) in (1, BATCH):
                self._changed.notify()

    def stop(self) -> None:
        """Deliver what is there, without retries, and end."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()

    def age(self) -> float:
        """How many seconds the outcome now being judged has taken; 0 while it waits, also for `deliver`."""
        since = self._judging_since
        return 0.0 if since is None else time.monotonic() - since

    def run(self) -> None:
        """Collect and deliver until stopped."""
        while batch := self._batch():
            self._hand_over([self._judged(done) for done in batch])

    def _batch(self) -> list[Done]:
        """The first that ends and those that follow within 250 ms, at most 200. None at all once it was stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping.is_set())
            self._changed.wait_for(lambda: len(self._queue) >= BATCH or self._stopping.is_set(), timeout=BATCH_SECONDS)
            return [self._queue.popleft() for _number in range(min(BATCH, len(self._queue)))]

    def _judged(self, done: Done) -> Finished:
        self._judging_since = time.monotonic()
        try:
            return done.finished()
        except Exception as error:  # a surprise in one look must not cost the others their delivery
            return Finished(job=done.job, outcome=surprised(error))
        finally:
            self._judging_since = None

    def _hand_over(self, batch: list[Finished]) -> None:
        ends = time.monotonic() + self._give_up_seconds
        pause = _FIRST_RETRY_SECONDS
        while not self._delivered(batch):
            if self._stopping.is_set() or time.monotonic() > ends:
                self.dropped += len(batch)
                logger.error("outcomes_given_up", extra={"outcomes": len(batch)})
                break
            self._stopping.wait(pause)
            pause = min(pause * 2, _LAST_RETRY_SECONDS)
        self._settled(len(batch))

    def _delivered(self, batch: list[Finished]) -> bool:
        try:
            self._deliver(batch)
        except Exception:
            self.failures += 1
            logger.warning("outcomes_not_delivered", extra={"outcomes": len(batch)}, exc_info=True)
            return False
        self.delivered += len(batch)
        return True
