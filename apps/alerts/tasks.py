"""The one task of telling, and how it is woken. Rows are the truth: a lost message costs at most a second."""

from __future__ import annotations

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.alerts.delivery import deliver_due
from apps.alerts.door import open_door
from apps.alerts.routing import route_all

logger = structlog.get_logger(__name__)

# A wake-up that lay longer than this has been overtaken by the next tick.
WAKE_EXPIRES_SECONDS = 10


@shared_task(ignore_result=True)
def route_and_send() -> None:
    """Route what happened, then send what is due. Any number may run at once."""
    route_all()
    deliver_due(open_door())


def wake() -> None:
    """Ask a worker to look for work. Never fails: the tick asks again, and a dead broker must not undo a write."""
    try:
        route_and_send.apply_async(retry=False, expires=WAKE_EXPIRES_SECONDS)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("wake_up_not_sent", error=type(error).__name__)
