"""What the requests of a loop wait for, and until when."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """`step` counts what it waited for: the deadline of something that is over finds another number."""

    step: int


WaitingType = TypeVar("WaitingType", bound=Waiting)
Missed = Callable[[WaitingType], None]


class Deadlines(Generic[WaitingType]):
    """Used by one thread. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._heap: list[tuple[float, int, int, WaitingType, Missed[WaitingType]]] = []
        # When somebody must look again; it may be for nothing. Infinite when there is nothing.
        self.soonest = math.inf

    def expect(self, waiting: WaitingType, moment: float, missed: Missed[WaitingType]) -> int:
        """From now on it waits for something, which is `missed` at that moment. The number of the step."""
        waiting.step += 1
        heapq.heappush(self._heap, (moment, next(self._order), waiting.step, waiting, missed))
        self.soonest = self._heap[0][0]
        return waiting.step

    def passed(self, now: float) -> Iterator[tuple[WaitingType, Missed[WaitingType]]]:
        """Those that still waited when their moment came; each waits for nothing now."""
        while self._heap and self._heap[0][0] <= now:
            _moment, _order, step, waiting, missed = heapq.heappop(self._heap)
            self.soonest = self._heap[0][0] if self._heap else math.inf
            if waiting.step == step:
                waiting.step += 1
                yield waiting, missed
