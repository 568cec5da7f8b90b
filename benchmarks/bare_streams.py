"""What libcurl alone needs for the same streams: the floor under the engine's HTTP loop, measured beside it.

A stream of 30 chunks is some 33 pieces that each wake a thread; here that thread does nothing but note each piece with
its moment. The engine's loop does that, and also checks addresses, holds deadlines, limits hosts and cuts what is
enough.
"""

from __future__ import annotations

import json
import math
import statistics
import threading
import time
from collections import deque

import pycurl
from django.conf import settings

from apps.core.addresses import probe_policy
from apps.core.outbound.polling import ACTIONS, EVENTS, READ, WRITE, Sockets
from apps.probes.engine import Engine
from benchmarks import engine_streams
from benchmarks.streamed_models import KEY, Models

ROUNDS = 3
SECONDS = 20


def measure(server: Models, port: int, streams_a_minute: int) -> None:
    """Print CPU a stream of the engine's HTTP loop and of a bare one, one after the other, and their ratio."""
    if not settings.configured:
        settings.configure(USE_I18N=False)
    streams = streams_a_minute * SECONDS // 60
    pairs = [(_engine(server, port, streams), _bare(server, streams)) for _round in range(ROUNDS)]
    ratio = statistics.median(engine / bare for engine, bare in pairs)
    told = ", ".join(f"{engine:.2f} : {bare:.2f}" for engine, bare in pairs)
    print(f"\nHTTP loop : bare CurlMulti, {streams_a_minute:,} streams a minute, CPU ms a stream: {told}")
    print(f"  {ratio:.2f} times the bare loop, in the middle of {ROUNDS} rounds")


def _engine(server: Models, port: int, streams: int) -> float:
    engine = Engine(policy=probe_policy(), deliver=lambda _finished: None)
    engine.start()
    loop = next(thread for thread in threading.enumerate() if thread.name == "probe-http")
    assert loop.ident is not None
    clock = time.pthread_getcpuclockid(loop.ident)
    before = time.clock_gettime(clock)
    engine_streams.feed(engine, engine_streams.jobs(server, port, streams, SECONDS, http_a_second=0))
    spent = time.clock_gettime(clock) - before
    engine.stop()
    return spent * 1000 / streams


def _bare(server: Models, streams: int) -> float:
    spent: list[float] = []
    thread = threading.Thread(target=lambda: spent.append(_Bare(server, streams).run()), name="bare")
    thread.start()
    thread.join()
    return spent[0] * 1000 / streams


class _Bare:
    """A CurlMulti that does nothing but stream."""

    def __init__(self, server: Models, streams: int) -> None:
        self._url = f"{server.base_url}/chat/completions"
        started = time.monotonic() + 0.5
        self._due = deque(started + number * SECONDS / streams for number in range(streams))
        self._timer_at = math.inf
        self._sockets = Sockets()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._heard: dict[pycurl.Curl, list[tuple[bytes, float]]] = {}

    def run(self) -> float:
        """CPU seconds of this thread."""
        while self._due or self._heard:
            begins = self._due[0] if self._due else math.inf
            soonest = min(self._timer_at, begins, time.monotonic() + 1)
            for descriptor, events in self._sockets.wait(max(soonest - time.monotonic(), 0.0)):
                self._multi.socket_action(descriptor, ACTIONS[events & (READ | WRITE)])
            if self._timer_at <= time.monotonic():
                self._timer_at = math.inf
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            while self._due and self._due[0] <= time.monotonic():
                self._due.popleft()
                self._begin()
            _more, succeeded, failures = self._multi.info_read()
            for curl in [*succeeded, *(failure[0] for failure in failures)]:
                self._multi.remove_handle(curl)
                del self._heard[curl]
                curl.close()
        self._multi.close()
        self._sockets.close()
        return time.thread_time()

    def _begin(self) -> None:
        curl = pycurl.Curl()
        heard: list[tuple[bytes, float]] = []
        question = {"model": "bare", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        curl.setopt(pycurl.URL, self._url)
        curl.setopt(pycurl.POSTFIELDS, json.dumps(question))
        curl.setopt(pycurl.HTTPHEADER, [f"Authorization: Bearer {KEY}", "Content-Type: application/json"])
        curl.setopt(pycurl.WRITEFUNCTION, lambda piece: heard.append((piece, time.monotonic())))
        self._heard[curl] = heard
        self._multi.add_handle(curl)

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._sockets.forget(descriptor)
        else:
            self._sockets.watch(descriptor, EVENTS.get(what, 0))

    def _set_timer(self, milliseconds: int) -> None:
        self._timer_at = math.inf if milliseconds < 0 else time.monotonic() + milliseconds / 1000
