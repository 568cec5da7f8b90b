"""The broker's clock, as this process knows it: right to a few milliseconds, however wrong the machine's own is.

Counted from the monotonic clock, so that a machine whose clock is put right in the middle of the day changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# An answer that took longer says too little about when it was given.
_LONGEST_ROUND_TRIP = 2.0


class BrokerClock:
    """Measured now and then, read by anybody. Before the first measurement it is the machine's own clock."""

    def __init__(
        self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._ahead: float | None = None

    @property
    def is_known(self) -> bool:
        return self._ahead is not None

    def measure(self, ask: Callable[[], float]) -> None:
        """Take the broker's time (Unix seconds) from `ask`; raises what that raises.

        Taken to be the time half way between question and answer. A difference smaller than the journey is no news.
        """
        asked = self._monotonic()
        said = ask()
        answered = self._monotonic()
        journey = answered - asked
        ahead = said - (asked + answered) / 2
        if self._ahead is not None and (journey > _LONGEST_ROUND_TRIP or abs(ahead - self._ahead) <= journey / 2):
            return
        self._ahead = ahead

    def now(self) -> float:
        """Unix seconds by the broker's clock."""
        return self._wall() if self._ahead is None else self._monotonic() + self._ahead

    def skew_seconds(self) -> float:
        """By how much the machine's own clock is ahead of the broker's; negative when it is behind."""
        return self._wall() - self.now()
