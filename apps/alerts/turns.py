"""One at a time, and nobody waits: work that many ask for and one thread does."""

from __future__ import annotations

import threading
from collections.abc import Callable


class OneAtATime:
    """Runs `work` on the thread that asks first; whoever asks meanwhile leaves at once, and it is run once more.

    No request is lost: the mark is set before the lock is tried, and looked at again after the lock is free.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._asked = threading.Event()
        self._busy = threading.Lock()

    def ask(self) -> bool:
        """Have everything done that is there to do now. Returns whether this thread did any of it.

        Raises whatever `work` raises, on the thread that ran it.
        """
        self._asked.set()
        worked = False
        while self._asked.is_set() and self._busy.acquire(blocking=False):
            try:
                self._asked.clear()
                self._work()
            finally:
                self._busy.release()
            worked = True
        return worked
