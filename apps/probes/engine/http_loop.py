"""The HTTP loop: one thread, one long-lived CurlMulti, any number of requests in flight.

The loop owns its requests and touches nothing that can block: names are looked up elsewhere, answers are judged
elsewhere. At most NEW_PER_TURN requests start in one turn, for a burst would show in the latency of each of them.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.names import Addresses, Names
from apps.core.outbound.transfer import Transfer
from apps.probes.base import Outcome
from apps.probes.engine.start_lateness import StartLateness
from apps.probes.engine.work import Done, Lateness, Work
from apps.probes.runner import failed_exchange, finished, judge_exchange, late, surprised

logger = logging.getLogger(__name__)

NEW_PER_TURN = 4
_IDLE_SECONDS = 1.0
_KEPT_HANDLES = 256
# So many turns that fail one after another are no accident: the loop ends, and its health says so.
_MAX_FAILED_TURNS = 50
_TIMEOUTS = frozenset({OutboundReason.TIMEOUT, OutboundReason.CONNECT_TIMEOUT, OutboundReason.SLOW_RESPONSE})


@dataclass(slots=True, eq=False)
class _Running:
    """One request on its way: being looked up, ready to start, or with libcurl."""

    work: Work
    transfer: Transfer
    lost_before: float
    lookup_started: float = 0.0
    lookup_ends: float = 0.0
    # Counts the hops: a lookup that answers after its hop was given up finds another number.
    hop: int = 0
    handle: pycurl.Curl | None = field(default=None, repr=False)


class HttpLoop(threading.Thread):
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
        super().__init__(name="probe-http", daemon=True)
        self._policy = policy
        self._names = names
        self._done = done
        self._ca_file = ca_file
        self._clock = time.monotonic
        self._wall_clock = wall_clock
        self._stopping = False
        self._mail: deque[Callable[[], None]] = deque()
        self._waiting: list[Work] = []
        self._ready: deque[_Running] = deque()
        self._lookups: list[tuple[float, int, int, _Running]] = []
        self._order = itertools.count()
        self._with_curl: dict[pycurl.Curl, _Running] = {}
        self._handles: list[pycurl.Curl] = []
        self._timer_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self.start_lateness = StartLateness(self._clock)
        self.lateness = Lateness(self._clock)

    # From other threads

    def add(self, works: Sequence[Work]) -> None:
        """Run each at its moment."""
        self._post(lambda: self._take(works))

    def stop(self) -> None:
        """End the loop at its next turn; what is in flight is given up."""
        self._stopping = True
        self._wake()

    def _post(self, message: Callable[[], None]) -> None:
        self._mail.append(message)
        self._wake()

    def _wake(self) -> None:
        # A full pipe means that a wake-up is on its way already; a closed one that nobody is left to wake.
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"\0")

    # The loop

    def run(self) -> None:
        """Turn until stopped."""
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self.lateness.begin()
        multi = self._multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self._keep_turning()
        for handle in list(self._with_curl):
            multi.remove_handle(handle)
        multi.close()
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def _keep_turning(self) -> None:
        failed = 0
        while not self._stopping:
            try:
                self._turn()
                failed = 0
            except Exception:  # one bad turn must not end the loop for all
                failed += 1
                logger.exception("probe_loop_turn_failed")
                if failed >= _MAX_FAILED_TURNS:
                    raise

    def _turn(self) -> None:
        wait = self._wait_seconds()
        # Twice: work that took too long must not be hidden by a wait that was cut short.
        self.lateness.turn()
        events = self._selector.select(wait)
        self.lateness.turn(wait)
        for key, mask in events:
            if key.fileobj is self._wake_reader:
                with contextlib.suppress(BlockingIOError):
                    self._wake_reader.recv(4_096)
            else:
                self._act(key.fd, mask)
        while self._mail:
            self._mail.popleft()()
        if self._timer_at is not None and self._clock() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        self._give_up_lookups()
        self._begin_due()
        self._start_ready()

    def _wait_seconds(self) -> float:
        if self._mail or self._ready:
            return 0.0
        now = self._clock()
        moments = [now + _IDLE_SECONDS]
        if self._timer_at is not None:
            moments.append(self._timer_at)
        if self._waiting:
            moments.append(self._waiting[0].start_at)
        if self._lookups:
            moments.append(self._lookups[0][0])
        return max(min(moments) - now, 0.0)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        """libcurl says which of its sockets it waits for."""
        known = descriptor in self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(descriptor)
            return
        mask = 0
        if what in (pycurl.POLL_IN, pycurl.POLL_INOUT):
            mask |= selectors.EVENT_READ
        if what in (pycurl.POLL_OUT, pycurl.POLL_INOUT):
            mask |= selectors.EVENT_WRITE
        if known:
            self._selector.modify(descriptor, mask)
        else:
            self._selector.register(descriptor, mask)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer_at = None if milliseconds < 0 else self._clock() + milliseconds / 1000

    def _act(self, descriptor: int, mask: int) -> None:
        action = 0
        if mask & selectors.EVENT_READ:
            action |= pycurl.CSELECT_IN
        if mask & selectors.EVENT_WRITE:
            action |= pycurl.CSELECT_OUT
        self._multi.socket_action(descriptor, action)

    # One request from its moment to its end

    def _take(self, works: Sequence[Work]) -> None:
        for work in works:
            heapq.heappush(self._waiting, work)

    def _begin_due(self) -> None:
        now = self._clock()
        while self._waiting and self._waiting[0].start_at <= now:
            work = heapq.heappop(self._waiting)
            self.start_lateness.add(now - work.start_at)
            with self._surviving(work):
                transfer = work.prepared.transfer(self._policy, self._ca_file, self._wall_clock)
                self._look_up(_Running(work, transfer, self.lateness.lost_seconds))

    def _look_up(self, running: _Running) -> None:
        running.hop += 1
        running.lookup_started = self._clock()
        future = self._names.look_up(running.transfer.location.host)
        if future.done():
            self._looked_up(running, running.hop, future, running.lookup_started)
            return
        running.lookup_ends = running.lookup_started + running.transfer.lookup_seconds()
        heapq.heappush(self._lookups, (running.lookup_ends, next(self._order), running.hop, running))
        hop = running.hop

        def answered(answer: Future[Addresses]) -> None:
            ended = self._clock()
            self._post(lambda: self._looked_up(running, hop, answer, ended))

        future.add_done_callback(answered)

    def _looked_up(self, running: _Running, hop: int, future: Future[Addresses], ended: float) -> None:
        if running.hop != hop:
            return
        running.hop += 1
        seconds = max(ended - running.lookup_started, 0.0)
        with self._surviving(running.work):
            try:
                running.transfer.resolved(future.result(), seconds)
            except OutboundError as error:
                raise (error if error.phases else running.transfer.unresolved(error, seconds)) from None
            self._ready.append(running)

    def _give_up_lookups(self) -> None:
        now = self._clock()
        while self._lookups and self._lookups[0][0] <= now:
            _ends, _order, hop, running = heapq.heappop(self._lookups)
            if running.hop == hop:
                running.hop += 1
                with self._surviving(running.work):
                    error = running.transfer.lookup_timed_out(running.lookup_ends - running.lookup_started)
                    self._fail(running.work, error, spoiled=self._is_spoiled(running))

    def _start_ready(self) -> None:
        for _turn in range(min(NEW_PER_TURN, len(self._ready))):
            running = self._ready.popleft()
            handle = self._handles.pop() if self._handles else pycurl.Curl()
            try:
                running.transfer.prepare(handle)
                self._multi.add_handle(handle)
            except Exception as error:  # libcurl or Python may refuse an option's value
                handle.close()
                self._surprise(running.work, error)
                continue
            self._with_curl[handle] = running

    def _collect(self) -> None:
        more = 1
        while more:
            more, succeeded, failures = self._multi.info_read()
            for handle in succeeded:
                self._ended(handle, 0, "")
            for handle, code, message in failures:
                self._ended(handle, code, message)

    def _ended(self, handle: pycurl.Curl, code: int, message: str) -> None:
        running = self._with_curl.pop(handle)
        self._multi.remove_handle(handle)
        with self._surviving(running.work):
            try:
                another = running.transfer.collect(handle, code, message)
            except OutboundError as error:
                self._fail(running.work, error, spoiled=error.reason in _TIMEOUTS and self._is_spoiled(running))
            else:
                if another:
                    self._look_up(running)
                else:
                    self._succeed(running)
        if len(self._handles) < _KEPT_HANDLES:
            # Lets go of callbacks and buffers now, not when the handle is next used.
            handle.reset()
            self._handles.append(handle)
        else:
            handle.close()

    @contextlib.contextmanager
    def _surviving(self, work: Work) -> Iterator[None]:
        """Whatever goes wrong inside is the outcome of this one job: the loop goes on for all others."""
        try:
            yield
        except OutboundError as error:
            self._fail(work, error)
        except Exception as error:  # of a kind, of our own reading of an answer, of a library
            self._surprise(work, error)

    def _is_spoiled(self, running: _Running) -> bool:
        return self.lateness.spoiled(running.lost_before, running.transfer.timeout_seconds)

    def _succeed(self, running: _Running) -> None:
        transfer, prepared = running.transfer, running.work.prepared
        self._done(Done(running.work.job, lambda: judge_exchange(prepared, transfer.result())))

    def _surprise(self, work: Work, error: Exception) -> None:
        started_at = self._wall_clock()
        self._done(Done(work.job, lambda: finished(work.prepared, surprised(error), started_at, 0.0)))

    def _fail(self, work: Work, error: OutboundError, *, spoiled: bool = False) -> None:
        prepared = work.prepared

        def judge() -> Outcome:
            outcome = failed_exchange(prepared, error)
            return late(outcome) if spoiled else outcome

        self._done(Done(work.job, judge))
