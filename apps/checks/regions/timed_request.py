"""When a message is too late: by the broker's clock. A machine an hour ahead would refuse every message it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from celery.worker.state import revoked as revoked_tasks

from apps.checks import engine_host
from apps.core.wake_ups import WakeUpRequest, WakeUpTask


class BrokerTimedRequest(WakeUpRequest):
    """A message of Celery's whose `expires` is compared with what this worker knows of the broker's time."""

    def maybe_expire(self) -> Literal[True] | None:
        expires: Any = self.expires
        if not expires or datetime.fromtimestamp(engine_host.clock.now(), UTC) <= expires:
            return None
        revoked_tasks.add(self.id)
        return True


class BrokerTimedTask(WakeUpTask):
    """The base of a task whose messages expire by the broker's clock."""

    Request = f"{__name__}:{BrokerTimedRequest.__name__}"
