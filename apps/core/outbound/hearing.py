"""An answer that is heard while it arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

import pycurl

from apps.core.outbound.answer import Answer
from apps.core.outbound.exchange import HttpRequest, Listener


class HeardAnswer(Answer):
    """Collects an answer like any other, and lets a listener hear the body of a good one (2xx).

    `moved` is called after each piece that was heard: the listener may expect the next one earlier than before.
    """

    __slots__ = ("_clock", "_is_good", "began_at", "listener", "moved", "sent_at", "surprise")

    def __init__(
        self, request: HttpRequest, listener: Listener, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(request, follow=False)
        self.listener = listener
        self.moved: Callable[[], None] | None = None
        # Monotonic seconds, 0 before: handed to libcurl, and ready to be sent over its connection.
        self.began_at = 0.0
        self.sent_at = 0.0
        # What the listener raised, although it must not.
        self.surprise: Exception | None = None
        self._clock = clock
        self._is_good: bool | None = None

    def begin(self) -> None:
        """It is with libcurl now."""
        self.began_at = self._clock()
        self.listener.began(self.began_at)

    def on_sent(self, *_addresses: object) -> int:
        """libcurl has a connection and sends the request now."""
        self.sent_at = self._clock()
        return int(pycurl.PREREQFUNC_OK)

    def on_body(self, chunk: bytes) -> int | None:
        """A piece of the body. Answering -1 ends the transfer."""
        at = self._clock()
        ended = Answer.on_body(self, chunk)
        if ended is not None:
            return ended
        if self._is_good is None:
            self._is_good = 200 <= self.status < 300
        if not self._is_good:
            return None
        try:
            if not self.listener.heard(chunk, at):
                self.ended_by_us = "enough"
                return -1
            if self.moved is not None:
                self.moved()
        except Exception as error:  # libcurl could not pass it on: whoever collects the transfer raises it
            self.surprise, self.ended_by_us = error, "surprise"
            return -1
        return None

    def is_overdue(self, now: float) -> bool:
        """Whether the listener's moment has passed; it is told so."""
        deadline = self.listener.deadline()
        if deadline is None or deadline > now:
            return False
        self.listener.missed(now)
        return True
