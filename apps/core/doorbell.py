"""Beat's scheduler for a schedule of whole intervals: it rings, and works out nothing else.

Celery's own asks each entry several times a second when it is due, in time zones; for one entry a second that was two
thirds of what beat cost. Nothing is remembered: every schedule is in code or in the database, and a bell that was not
heard (the broker was away) is followed by the next.
"""

from __future__ import annotations

import time
from typing import Any

from celery.beat import ScheduleEntry, Scheduler


class Doorbell(Scheduler):
    """Rings each entry at once, then every so many seconds without drifting; after a gap it rings once and goes on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due: dict[str, float] = {}

    def tick(self, *_: Any, **__: Any) -> float:
        """Ring what is due; returns the seconds until something is again."""
        now = time.monotonic()
        for name, entry in self.schedule.items():
            due = self._due.get(name, now)
            if due <= now:
                self.apply_entry(entry, producer=self.producer)
                interval = interval_of(entry)
                due = max(due + interval, now + interval / 2)
            self._due[name] = due
        return max(min(self._due.values(), default=now + 1) - time.monotonic(), 0.0)


def interval_of(entry: ScheduleEntry) -> float:
    """Seconds between two rings of an entry."""
    schedule: Any = entry.schedule
    seconds: float = schedule.run_every.total_seconds()
    return seconds
