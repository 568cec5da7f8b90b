"""The HTTP loop: one thread, one long-lived CurlMulti, any number of requests in flight.

The loop owns its requests and touches nothing that can block: names are looked up elsewhere, answers are judged
elsewhere. At most NEW_PER_TURN requests start in one turn, for a burst would show in the latency of each of them; the
others wait in the loop, where waiting shows as a late start and not as latency. What goes wrong with one request is
the outcome of that one, and the loop goes on.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.handles import Handle
from apps.core.outbound.hearing import HeardAnswer
from apps.core.outbound.names import Addresses, Names
from apps.core.outbound.polling import ACTIONS, EVENTS, READ, WRITE, Sockets
from apps.probes.engine.deadlines import Deadlines
from apps.probes.engine.endings import Endings, Look
from apps.probes.engine.host_limits import COUNTED_WAIT_SECONDS, HostLimits
from apps.probes.engine.listening import Listening
from apps.probes.engine.start_lateness import StartLateness
from apps.probes.engine.work import Done, Lateness, Work

logger = logging.getLogger(__name__)

NEW_PER_TURN = 1
# Names that must be asked for first start no request yet; so many of them are asked for in one turn.
_ASKED_PER_TURN = 8
_IDLE_SECONDS = 1.0
_KEPT_HANDLES = 256
_KEPT_CONNECTIONS = 256
# So many turns that fail one after another are no accident: the loop ends, and its health says so.
_MAX_FAILED_TURNS = 50
_TIMEOUTS = frozenset({OutboundReason.TIMEOUT, OutboundReason.CONNECT_TIMEOUT, OutboundReason.SLOW_RESPONSE})


class HttpLoop(threading.Thread):
    """`add` from any thread; `done` is called on the loop's thread and must return at once."""

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        names: Names,
        done: Callable[[Done], None],
        ca_file: str = "",
        max_per_host: int = 64,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="probe-http", daemon=True)
        self._policy = policy
        self._names = names
        self._ca_file = ca_file
        self._clock = time.monotonic
        self._wall_clock = wall_clock
        self._stopping = False
        self._mail: deque[Callable[[], None]] = deque()
        self._waiting: list[tuple[float, int, Work]] = []
        self._ready: deque[Look] = deque()
        self._deadlines: Deadlines[Look] = Deadlines()
        self._order = itertools.count()
        self._with_curl: dict[pycurl.Curl, tuple[Handle, Look]] = {}
        self._over: deque[tuple[pycurl.Curl, int, str]] = deque()
        self._handles: list[Handle] = []
        self._hosts: HostLimits[Look] = HostLimits(max_per_host)
        # Of those with libcurl, how many are under way: the others are over.
        self._running = 0
        # When libcurl wants to be called next.
        self._timer_at = math.inf
        self._sockets = Sockets()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_number = self._wake_reader.fileno()
        self.start_lateness = StartLateness(self._clock)
        self.lateness = Lateness(self._clock)
        self._endings = Endings(done, self.lateness, wall_clock)
        self._listening = Listening(self._endings, self._clock, self._let_go)

    @property
    def waiting_for_host(self) -> int:
        """Requests held back by our own limit of requests in flight to one host."""
        return self._hosts.waiting

    # From other threads

    def add(self, works: Sequence[Work]) -> None:
        """Run each at its moment."""
        self._post(partial(self._take, works))

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
        self._sockets.watch(self._wake_reader.fileno(), READ)
        self.lateness.begin()
        multi = self._multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        # Of its own accord libcurl keeps four connections for each request in flight: of a quiet loop, none.
        multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_CONNECTIONS)
        self._keep_turning()
        for curl in list(self._with_curl):
            multi.remove_handle(curl)
        multi.close()
        self._sockets.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def _keep_turning(self) -> None:
        failed = 0
        while not self._stopping:
            try:
                self._turn()
                failed = 0
            except Exception as error:  # one bad turn must not end the loop for all
                failed += 1
                logger.exception("probe_loop_turn_failed")
                self._endings.end_in_hand(error)
                if failed >= _MAX_FAILED_TURNS:
                    raise

    def _turn(self) -> None:
        wait = self._wait_seconds()
        # Twice: work that took too long must not be hidden by a wait that was cut short.
        self.lateness.turn()
        found = self._sockets.wait(wait)
        self.lateness.turn(wait)
        for descriptor, events in found:
            if descriptor == self._wake_number:
                with contextlib.suppress(BlockingIOError):
                    self._wake_reader.recv(4_096)
            else:
                _result, self._running = self._multi.socket_action(descriptor, ACTIONS[events & (READ | WRITE)])
        while self._mail:
            self._mail.popleft()()
        # Each piece of each stream is a turn, which seldom has anything more to do: so all is asked for before.
        self._run_timer()
        if self._running != len(self._with_curl) or self._over:
            self._collect()
        now = self._clock()
        if self._deadlines.soonest <= now:
            self._give_up_late()
        if self._listening.deadlines.soonest <= now:
            self._listening.give_up_late()
        if self._waiting and self._waiting[0][0] <= now:
            self._begin_due()
        if self._ready:
            self._start_ready()

    def _wait_seconds(self) -> float:
        if self._mail or self._ready or self._over:
            return 0.0
        now = self._clock()
        begins = self._waiting[0][0] if self._waiting else math.inf
        soonest = min(
            now + _IDLE_SECONDS, self._timer_at, begins, self._deadlines.soonest, self._listening.deadlines.soonest
        )
        return max(soonest - now, 0.0)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        """libcurl says which of its sockets it waits for."""
        if what == pycurl.POLL_REMOVE:
            self._sockets.forget(descriptor)
        else:
            self._sockets.watch(descriptor, EVENTS.get(what, 0))

    def _set_timer(self, milliseconds: int) -> None:
        self._timer_at = math.inf if milliseconds < 0 else self._clock() + milliseconds / 1000

    def _run_timer(self) -> None:
        if self._timer_at <= self._clock():
            self._timer_at = math.inf
            _result, self._running = self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    # One request from its moment to its end

    def _take(self, works: Sequence[Work]) -> None:
        for work in works:
            heapq.heappush(self._waiting, (work.start_at, next(self._order), work))

    def _begin_due(self) -> None:
        """Begin as many as can start in this turn: the others are late, and say so when they begin."""
        for _begun in range(_ASKED_PER_TURN):
            if not self._waiting or len(self._ready) >= NEW_PER_TURN:
                return
            lateness = self._clock() - self._waiting[0][0]
            if lateness < 0:
                return
            _moment, _order, work = heapq.heappop(self._waiting)
            self.start_lateness.add(lateness)
            self._endings.guarded(work, self._begin, work)

    def _begin(self, work: Work) -> None:
        transfer = work.prepared.transfer(self._policy, self._ca_file, self._wall_clock)
        self._look_up(Look(work, transfer, self.lateness.lost_seconds))

    def _look_up(self, look: Look) -> None:
        host = look.transfer.location.host
        known = self._names.known(host)
        if known is not None:
            self._enter(look, known, 0.0)
            return
        look.asked_at = self._clock()
        missed_at = look.asked_at + look.transfer.lookup_seconds()
        step = self._deadlines.expect(look, missed_at, self._lookup_missed)

        def answered(answer: Future[Addresses]) -> None:
            ended = self._clock()
            self._post(lambda: self._endings.guarded(look.work, self._looked_up, look, step, answer, ended))

        self._names.look_up(host).add_done_callback(answered)

    def _looked_up(self, look: Look, step: int, answer: Future[Addresses], ended: float) -> None:
        if look.step != step:
            return
        look.step += 1
        seconds = max(ended - look.asked_at, 0.0)
        try:
            addresses = answer.result()
        except OutboundError as error:
            raise look.transfer.unresolved(error, seconds) from None
        self._enter(look, addresses, seconds)

    def _lookup_missed(self, look: Look) -> None:
        self._endings.timed_out(look, look.transfer.lookup_timed_out(self._clock() - look.asked_at))

    def _enter(self, look: Look, addresses: Addresses, seconds: float) -> None:
        """The name is known: start as soon as its host has a place."""
        look.transfer.resolved(addresses, seconds)
        host = look.transfer.endpoint
        if self._hosts.enter(host, look):
            look.host = host
            self._ready.append(look)
        else:
            look.asked_at = self._clock()
            self._deadlines.expect(look, look.asked_at + look.transfer.timeout_seconds, self._host_missed)

    def _leave(self, look: Look) -> None:
        """Its place at its host goes to the next one there."""
        host, look.host = look.host, None
        follower = self._hosts.leave(host) if host is not None else None
        if follower is not None:
            follower.step += 1
            follower.host = host
            follower.cut_short |= follower.transfer.shorten(self._clock() - follower.asked_at - COUNTED_WAIT_SECONDS)
            # What the loop lost before is not this request's.
            follower.lost_before = self.lateness.lost_seconds
            self._ready.append(follower)

    def _host_missed(self, look: Look) -> None:
        self._hosts.give_up(look.transfer.endpoint, look)
        self._endings.held_back(look, self._hosts.limit)

    def _give_up_late(self) -> None:
        for look, missed in self._deadlines.passed(self._clock()):
            self._endings.guarded(look.work, missed, look)

    def _start_ready(self) -> None:
        for _turn in range(min(NEW_PER_TURN, len(self._ready))):
            look = self._ready.popleft()
            self._endings.guarded(look.work, self._start, look)
        self._run_timer()

    def _start(self, look: Look) -> None:
        handle = None
        try:
            handle = self._handles.pop() if self._handles else Handle()
            look.transfer.prepare(handle)
            self._multi.add_handle(handle.curl)
        except Exception:  # libcurl or Python may refuse an option's value
            if handle is not None:
                handle.close()
            self._leave(look)
            raise
        self._with_curl[handle.curl] = (handle, look)
        if isinstance(handle.answer, HeardAnswer):
            self._listening.begin(look, handle, handle.answer)

    def _collect(self) -> None:
        more = 1
        while more:
            more, succeeded, failures = self._multi.info_read()
            self._over.extend((curl, 0, "") for curl in succeeded)
            self._over.extend(failures)
        while self._over:
            curl, code, message = self._over.popleft()
            handle, look = self._with_curl.pop(curl)
            self._endings.guarded(look.work, self._ended, handle, look, code, message)

    def _ended(self, handle: Handle, look: Look, code: int, message: str) -> None:
        self._leave(look)
        self._multi.remove_handle(handle.curl)
        self._listening.end(look)
        try:
            another = look.transfer.collect(handle, code, message)
        except OutboundError as error:
            ended = self._endings.timed_out if error.reason in _TIMEOUTS else self._endings.failed
            ended(look, error)
            return
        finally:
            self._put_back(handle)
        if another:
            self._look_up(look)
        else:
            self._endings.answered(look)

    def _put_back(self, handle: Handle) -> None:
        if len(self._handles) < _KEPT_HANDLES:
            handle.release()
            self._handles.append(handle)
        else:
            handle.close()

    def _let_go(self, look: Look, handle: Handle, now: float) -> None:
        """Its listener has missed its deadline."""
        del self._with_curl[handle.curl]
        self._leave(look)
        self._multi.remove_handle(handle.curl)
        self._listening.end(look)
        try:
            waited = look.transfer.collect_late(handle, now)
        finally:
            self._put_back(handle)
        self._endings.missed(look, waited)
