"""Handing outcomes over: judged and delivered on a thread of their own, every 200 or every 250 ms."""

from __future__ import annotations

import logging
import queue
import threading
import time
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
        self._queue: queue.SimpleQueue[Done | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self.delivered = 0
        self.dropped = 0
        self.failures = 0
        self._judging_since: float | None = None

    def put(self, done: Done) -> None:
        """Take one over; returns at once."""
        self._queue.put(done)

    def stop(self) -> None:
        """Deliver what is there, without retries, and end."""
        self._stopping.set()
        self._queue.put(None)

    def age(self) -> float:
        """How many seconds the outcome now being judged has taken; 0 while it waits, also for `deliver`."""
        since = self._judging_since
        return 0.0 if since is None else time.monotonic() - since

    def run(self) -> None:
        """Collect and deliver until stopped."""
        while True:
            first = self._queue.get()
            if first is not None:
                self._hand_over(self._batch(first))
            elif self._queue.empty():
                return

    def _batch(self, first: Done) -> list[Finished]:
        """The first outcome and those that follow within 250 ms, at most 200."""
        ends = time.monotonic() + BATCH_SECONDS
        batch = [self._judged(first)]
        while len(batch) < BATCH:
            wait = 0.0 if self._stopping.is_set() else max(ends - time.monotonic(), 0.0)
            try:
                done = self._queue.get(timeout=wait)
            except queue.Empty:
                break
            if done is None:
                self._queue.put(None)
                break
            batch.append(self._judged(done))
        return batch

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
