"""At most so many requests in flight to one address and port; the others wait in a queue of that host alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

# Whoever asked for a look counts its outcome until a few seconds after its timeout. This much of them may be spent
# waiting here; what is waited longer is taken from the look's own time.
COUNTED_WAIT_SECONDS = 3.0

Host = tuple[str, int]
Request = TypeVar("Request", bound=Hashable)


class HostLimits(Generic[Request]):
    """First come, first served at each host; a full host holds up nobody else's requests. Used by one thread."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # How many requests wait at all hosts together.
        self.waiting = 0
        self._in_flight: dict[Host, int] = {}
        self._queues: dict[Host, OrderedDict[Request, None]] = {}

    def enter(self, host: Host, request: Request) -> bool:
        """Take a place at `host`. False: there is none, and the request waits until `leave` hands it out."""
        in_flight = self._in_flight.get(host, 0)
        if in_flight >= self.limit:
            self._queues.setdefault(host, OrderedDict())[request] = None
            self.waiting += 1
            return False
        self._in_flight[host] = in_flight + 1
        return True

    def leave(self, host: Host) -> Request | None:
        """Give a place back. The request that has it now, when one waited."""
        queue = self._queues.get(host)
        if queue:
            request, _none = queue.popitem(last=False)
            self._left_queue(host, queue)
            return request
        in_flight = self._in_flight[host] - 1
        if in_flight:
            self._in_flight[host] = in_flight
        else:
            del self._in_flight[host]
        return None

    def give_up(self, host: Host, request: Request) -> None:
        """The request waits no more."""
        queue = self._queues[host]
        del queue[request]
        self._left_queue(host, queue)

    def _left_queue(self, host: Host, queue: OrderedDict[Request, None]) -> None:
        self.waiting -= 1
        if not queue:
            del self._queues[host]
