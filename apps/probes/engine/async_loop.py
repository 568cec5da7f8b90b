"""The asyncio loop: everything that is not one HTTP request."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from apps.core.addresses import AddressPolicy
from apps.core.outbound.names import Names
from apps.probes.base import Outcome, Reason
from apps.probes.engine.start_lateness import StartLateness
from apps.probes.engine.work import Done, Lateness, Work
from apps.probes.looking import Looking
from apps.probes.runner import late, look, surprised

_TICK_SECONDS = 0.1
_LETTING_GO_SECONDS = 0.2
_TIMEOUTS = frozenset({Reason.TIMEOUT, Reason.CONNECT_TIMEOUT, Reason.DNS_TIMEOUT, Reason.SLOW_RESPONSE})


class AsyncLoop(threading.Thread):
    """`add` from any thread; `done` is called on the loop's thread and must return at once."""

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        names: Names,
        done: Callable[[Done], None],
        ca_file: str = "",
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="probe-asyncio", daemon=True)
        self._policy = policy
        self._names = names
        self._done = done
        self._ca_file = ca_file
        self._clock = time.monotonic
        self._wall_clock = wall_clock
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.start_lateness = StartLateness(self._clock)
        self.lateness = Lateness(self._clock)

    def add(self, works: Sequence[Work]) -> None:
        """Run each at its moment."""
        # A stopped loop takes nothing more: the jobs are given up with the rest.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take, works)

    def stop(self) -> None:
        """End the loop; what is in flight is given up."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)

    def run(self) -> None:
        """Turn until stopped."""
        asyncio.set_event_loop(self._loop)
        self.lateness.begin()
        self._loop.call_later(_TICK_SECONDS, self._tick)
        self._loop.run_forever()
        # Also the looks inside our tasks: each lets go of its connection while the loop still turns.
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=_LETTING_GO_SECONDS))
        self._loop.close()

    def _tick(self) -> None:
        self.lateness.turn(_TICK_SECONDS)
        self._loop.call_later(_TICK_SECONDS, self._tick)

    def _take(self, works: Sequence[Work]) -> None:
        for work in works:
            self._begin(work)

    def _begin(self, work: Work) -> None:
        wait = work.start_at - self._clock()
        if wait > 0:
            self._loop.call_later(wait, self._begin, work)
            return
        self.start_lateness.add(-wait)
        task = self._loop.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Work) -> None:
        lost_before = self.lateness.lost_seconds
        timeout = work.prepared.timeout_seconds
        looking = Looking(
            policy=self._policy,
            names=self._names,
            timeout_seconds=timeout,
            ca_file=self._ca_file,
            wall_clock=self._wall_clock,
        )
        try:
            outcome = await look(work.prepared, looking)
        except Exception as error:  # else nobody would ever hear of this job again
            outcome = surprised(error).amended(started_at=looking.started_at)
        if outcome.reason in _TIMEOUTS and self.lateness.spoiled(lost_before, timeout):
            outcome = late(outcome)
        self._done(Done(work.job, _already(outcome)))


def _already(outcome: Outcome) -> Callable[[], Outcome]:
    return lambda: outcome
