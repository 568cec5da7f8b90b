"""What a person sees while the portal starts: one line a step, a dot a second, and the time it took.

Plain text without cursor movement, so that it reads the same in a terminal, a pipe and a CI log.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

_WIDTH = 34


class Progress:
    """Prints steps; a closed terminal is no reason to stop a portal, so failing to print is ignored."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._dots = 0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One line for what happens inside; call `tick` meanwhile."""
        self._started, self._dots = time.monotonic(), 0
        self._write(f"  {title:<{_WIDTH}}")
        try:
            yield
        except BaseException:
            self._write(" failed\n")
            raise
        else:
            self._write(f" {time.monotonic() - self._started:.1f} s\n")
        finally:
            self._started = None

    def tick(self) -> None:
        """Show that time passes: a dot for every second of the current step."""
        if self._started is not None and time.monotonic() - self._started > self._dots + 1:
            self._dots += 1
            self._write(".")

    def say(self, line: str) -> None:
        """A line of its own, also in the middle of a step."""
        text = f"  {line}\n" if line else "\n"
        self._write(f"\n{text}" if self._started is not None else text)

    @staticmethod
    def _write(text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)
            sys.stdout.flush()
