"""How often a model answered. Pure.

    uptime = 1 - failed / (looks - rate-limited)

A look that was refused because we ask too often says nothing about the model, so it is in neither part. A degraded look
was answered. Looks that say nothing (indeterminate) are no looks; without looks there is no uptime (None), never 100 %.
That a provider lists a model is no answer of it: looks at the list count only where no look asked the model itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Uptime:
    """Counts of looks over some time. `failed` and `rate_limited` are among `looks`."""

    looks: int = 0
    failed: int = 0
    rate_limited: int = 0

    @property
    def share(self) -> float | None:
        """0 to 1; None when no look counts."""
        counted = self.looks - self.rate_limited
        return None if counted <= 0 else 1 - self.failed / counted

    def __add__(self, other: Uptime) -> Uptime:
        return Uptime(self.looks + other.looks, self.failed + other.failed, self.rate_limited + other.rate_limited)


def uptime_of_looks(*, asked: Uptime, listed: Uptime) -> Uptime:
    """Of the looks that asked the model; of those that only read a list, where none asked it."""
    return asked if asked.looks else listed
