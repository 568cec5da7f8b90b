"""One request with a listener, on the thread that waits for it: until it ends, or until the listener's moment."""

from __future__ import annotations

import time

import pycurl

from apps.core.outbound.handles import Handle
from apps.core.outbound.hearing import HeardAnswer
from apps.core.outbound.polling import ACTIONS, EVENTS, READ, WRITE, Sockets
from apps.core.outbound.transfer import Transfer

_IDLE_SECONDS = 1.0


def listen(transfer: Transfer, handle: Handle, answer: HeardAnswer) -> None:
    """Run what was prepared to its end and collect it. Raises OutboundError."""
    turning = _Turning(handle.curl)
    try:
        answer.begin()
        while (ended := turning.turn(answer.listener.deadline())) is None:
            now = time.monotonic()
            if answer.is_overdue(now):
                turning.close()
                transfer.collect_late(handle, now)
                return
    finally:
        turning.close()
    transfer.collect(handle, *ended)


class _Turning:
    """A multi handle with one request in it."""

    def __init__(self, curl: pycurl.Curl) -> None:
        self._curl = curl
        self._timer_at: float | None = None
        self._sockets = Sockets()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.add_handle(curl)
        self._closed = False

    def turn(self, until: float | None) -> tuple[int, str] | None:
        """Wait for what comes first and do it. libcurl's code and message when the request is over."""
        now = time.monotonic()
        moments = [moment for moment in (until, self._timer_at, now + _IDLE_SECONDS) if moment is not None]
        for descriptor, events in self._sockets.wait(max(min(moments) - now, 0.0)):
            self._multi.socket_action(descriptor, ACTIONS[events & (READ | WRITE)])
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        _more, succeeded, failures = self._multi.info_read()
        if failures:
            return int(failures[0][1]), str(failures[0][2])
        return (0, "") if succeeded else None

    def close(self) -> None:
        """Take the request back, finished or not."""
        if not self._closed:
            self._closed = True
            self._multi.remove_handle(self._curl)
            self._multi.close()
            self._sockets.close()

    def _watch(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._sockets.forget(descriptor)
        else:
            self._sockets.watch(descriptor, EVENTS.get(what, 0))

    def _set_timer(self, milliseconds: int) -> None:
        self._timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
