"""Tasks that only wake: their messages are gone from the broker when they are taken, and nothing is owed for them.

The queues say so too (`CELERY_TASK_QUEUES`, no_ack); Celery would acknowledge all the same, for nothing.
"""

from __future__ import annotations

from typing import Any

from celery.app.task import Task
from celery.worker.request import Request


class WakeUpRequest(Request):
    """A message that the broker has forgotten already."""

    def acknowledge(self) -> None:
        """Nothing to tell anybody."""
        self.acknowledged = True


class WakeUpTask(Task[Any, Any]):
    """The base of a task whose loss costs nothing but time."""

    Request = f"{__name__}:{WakeUpRequest.__name__}"
