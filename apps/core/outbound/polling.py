"""Waiting for libcurl's sockets, as thin as it can be: this runs several times for every look."""

from __future__ import annotations

import select

import pycurl

READ = 1
WRITE = 4
# What libcurl waits for, and what it is told of.
EVENTS = {pycurl.POLL_IN: READ, pycurl.POLL_OUT: WRITE, pycurl.POLL_INOUT: READ | WRITE}
ACTIONS = {
    READ: pycurl.CSELECT_IN,
    WRITE: pycurl.CSELECT_OUT,
    READ | WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}
_BROKEN = 8 | 16
_LINUX = hasattr(select, "epoll")


class Sockets:
    """Which descriptors are waited for, and for what (READ, WRITE or both). Used by one thread."""

    def __init__(self) -> None:
        # epoll's and poll's numbers for these events are the same; their units of time are not.
        self._poll = select.epoll() if _LINUX else select.poll()
        self._known: set[int] = set()

    def watch(self, descriptor: int, events: int) -> None:
        """Wait for `events` from now on; 0 for none."""
        if descriptor in self._known:
            try:
                self._poll.modify(descriptor, events)
            except FileNotFoundError:
                # Closed without a word, and its number given to another.
                self._poll.register(descriptor, events)
        else:
            self._poll.register(descriptor, events)
            self._known.add(descriptor)

    def forget(self, descriptor: int) -> None:
        """Wait for it no more; it may be closed already."""
        if descriptor in self._known:
            self._known.discard(descriptor)
            try:
                self._poll.unregister(descriptor)
            except OSError:
                return

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Descriptors that are ready, with their events, after at most `seconds` (rounded up to a millisecond)."""
        found = self._poll.poll(seconds if _LINUX else -(-seconds * 1000 // 1))
        # A broken connection is for its reader and its writer to find out.
        return [(descriptor, events | READ | WRITE if events & _BROKEN else events) for descriptor, events in found]

    def close(self) -> None:
        """Stop for good."""
        close = getattr(self._poll, "close", None)
        if close is not None:
            close()
