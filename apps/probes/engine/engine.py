"""The engine as its process sees it: jobs in, outcomes out, and how it is doing."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.core.addresses import AddressPolicy
from apps.core.outbound.names import Names, default_names
from apps.probes.base import Outcome, ProbeJob
from apps.probes.engine.async_loop import AsyncLoop
from apps.probes.engine.delivery import Deliver, Delivery
from apps.probes.engine.http_loop import HttpLoop
from apps.probes.engine.start_lateness import percentiles
from apps.probes.engine.work import Done, Work
from apps.probes.runner import NotRunnable, prepare

# A job may be handed over a little before its moment; one that is further away was claimed by a clock that is wrong.
_MAX_AHEAD_SECONDS = 60.0
_SWITCH_SECONDS = 0.0001


@dataclass(frozen=True, slots=True)
class Health:
    """How the engine is doing. Seconds and counts; `start_late_ms_*` over the last minute.

    `loop_age_seconds` is the age of the older loop's last turn, or how long the delivery thread has been judging one
    outcome, whichever is more (waiting for a broker does not count); infinite when a thread ended by itself. Past a
    minute, the engine is stuck. `started` counts the looks begun, `waiting_for_host` those now held back by our own
    limit of requests in flight to one host, `late_turns` how often a loop was held up.
    """

    alive: bool
    loop_age_seconds: float
    late_turns: int
    in_flight: int
    free_places: int
    submitted: int
    refused: int
    delivered: int
    dropped: int
    failed_deliveries: int
    start_late_ms_p50: float
    start_late_ms_p95: float
    start_late_ms_p99: float
    started: int
    waiting_for_host: int


class Engine:
    """One a process. `deliver` gets a list of Finished on a thread of its own and may block or raise: it is retried.

    A job holds one of `max_in_flight` places from `submit` until its outcome was delivered, so a broker that is away
    stops the feeding instead of filling the memory. `nameservers`: addresses (port optional), default the system's.

    At most `max_per_host` HTTP requests are in flight to one address and port. A look that waits for its turn longer
    than its own timeout ends `indeterminate`, for the limit is ours.

    `wall_clock` gives Unix seconds: what `due_at` is compared with and `started_at` is read from. A machine whose clock
    is wrong gives one that is corrected.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        deliver: Deliver,
        max_in_flight: int = 2_000,
        max_per_host: int = 64,
        nameservers: Sequence[str] = (),
        ca_file: str = "",
        give_up_seconds: float = 60.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.max_in_flight = max_in_flight
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._submitted = 0
        self._refused = 0
        self._started = False
        self._stopped = False
        self._own_names = Names(nameservers) if nameservers else None
        names = self._own_names or default_names()
        self._delivery = Delivery(deliver, settled=self._settle, give_up_seconds=give_up_seconds)
        self._http = HttpLoop(
            policy=policy,
            names=names,
            done=self._delivery.put,
            ca_file=ca_file,
            max_per_host=max_per_host,
            wall_clock=wall_clock,
        )
        self._async = AsyncLoop(
            policy=policy, names=names, done=self._delivery.put, ca_file=ca_file, wall_clock=wall_clock
        )
        self._loops: dict[str, HttpLoop | AsyncLoop] = {"http": self._http, "async": self._async}

    def start(self) -> None:
        """Start the threads."""
        # By default a thread that is ready waits 5 ms for one that computes; the loops would measure that as latency.
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        for thread in (self._delivery, self._http, self._async):
            thread.start()
        # Only now: a thread that is not alive from here on has ended.
        self._started = True

    def submit(self, jobs: Sequence[ProbeJob]) -> list[ProbeJob]:
        """Take jobs over, as many as there is room for. Returns those there was no room for; raises nothing."""
        with self._lock:
            room = 0 if self._stopped else max(self.max_in_flight - self._in_flight, 0)
            taken, refused = list(jobs[:room]), list(jobs[room:])
            self._in_flight += len(taken)
            self._submitted += len(taken)
            self._refused += len(refused)
        self._begin(taken)
        return refused

    def free_places(self) -> int:
        """How many jobs `submit` would take now."""
        return max(self.max_in_flight - self.in_flight(), 0)

    def in_flight(self) -> int:
        """Jobs taken and not delivered yet."""
        with self._lock:
            return self._in_flight

    def stop(self, timeout: float = 5.0) -> None:
        """Give up what is in flight, deliver what is finished, and end the threads within `timeout` seconds."""
        with self._lock:
            if self._stopped or not self._started:
                return
            self._stopped = True
        ends = time.monotonic() + timeout
        self._http.stop()
        self._async.stop()
        for loop in (self._http, self._async):
            loop.join(max(ends - time.monotonic(), 0.01))
        self._delivery.stop()
        self._delivery.join(max(ends - time.monotonic(), 0.01))
        if self._own_names is not None:
            self._own_names.close()

    def health(self) -> Health:
        """A snapshot of how it is doing."""
        started = (self._http.start_lateness, self._async.start_lateness)
        late = percentiles(started)
        in_flight = self.in_flight()
        return Health(
            alive=self._started and self._all_alive(),
            loop_age_seconds=self._age(),
            late_turns=self._http.lateness.late_turns + self._async.lateness.late_turns,
            in_flight=in_flight,
            free_places=max(self.max_in_flight - in_flight, 0),
            submitted=self._submitted,
            refused=self._refused,
            delivered=self._delivery.delivered,
            dropped=self._delivery.dropped,
            failed_deliveries=self._delivery.failures,
            start_late_ms_p50=late.p50,
            start_late_ms_p95=late.p95,
            start_late_ms_p99=late.p99,
            started=sum(one.started for one in started),
            waiting_for_host=self._http.waiting_for_host,
        )

    def _all_alive(self) -> bool:
        return all(thread.is_alive() for thread in (self._http, self._async, self._delivery))

    def _age(self) -> float:
        if self._started and not self._stopped and not self._all_alive():
            return math.inf
        return max(self._http.lateness.age(), self._async.lateness.age(), self._delivery.age())

    def _begin(self, jobs: Sequence[ProbeJob]) -> None:
        """Prepare all of them first: work beside a running loop would show in what the loop measures."""
        works: dict[str, list[Work]] = {}
        wall_now, now = self._wall_clock(), time.monotonic()
        for job in jobs:
            try:
                prepared = prepare(job.kind, job.config, job.timeout_seconds, job.degraded_after_ms)
            except NotRunnable as error:
                self._delivery.put(Done(job, _always(error.outcome.amended(started_at=wall_now))))
            else:
                ahead = 0.0 if job.due_at is None else min(job.due_at - wall_now, _MAX_AHEAD_SECONDS)
                # A moment in the past stays in the past: the difference is how late we are.
                work = Work(job, prepared, now + ahead)
                works.setdefault(prepared.kind.transport, []).append(work)
        for transport, of_one_loop in works.items():
            self._loops[transport].add(of_one_loop)

    def _settle(self, outcomes: int) -> None:
        with self._lock:
            self._in_flight -= outcomes


def _always(outcome: Outcome) -> Callable[[], Outcome]:
    return lambda: outcome
