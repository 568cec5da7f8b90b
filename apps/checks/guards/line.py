"""The line of this worker's region: failures wait here until a guard has said whether the line worked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.checks.messages import GuardReport
from apps.probes.base import Finished, ProbeJob

HandOver = Callable[[list[Finished], list[GuardReport]], None]


class Line:
    """One a worker process. `hand_over` sends outcomes and what was found at the guards; it may raise."""

    def __init__(self, *, hand_over: HandOver) -> None:
        self._hand_over = hand_over

    def follow(self, guards: Sequence[ProbeJob]) -> None:
        """A batch came: these are the guards from now on; none means that nothing is held back any more."""

    def deliver(self, finished: Sequence[Finished]) -> None:
        """Hand over what needs no guard, and hold the failures until one was asked. Raises what `hand_over` raises."""
        self._hand_over(list(finished), [])

    def stop(self) -> None:
        """The process ends: what is still held is left to its leases."""
