"""The worker's life signs: a heartbeat key every two seconds, and a look at whether the engine still turns."""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from apps.checks import engine_host

logger = structlog.get_logger(__name__)

HEARTBEAT_KEY = "portal:worker:heartbeat"
HEARTBEAT_SECONDS = 2
# The key outlives a restart and not much more, so that "never heard of" and "silent" look the same after a while.
HEARTBEAT_KEPT_SECONDS = 3_600

_stopping = threading.Event()


@worker_ready.connect
def start_heart(**_: Any) -> None:
    _stopping.clear()
    threading.Thread(target=_beat, name="worker-heartbeat", daemon=True).start()


@worker_shutting_down.connect
def stop_heart(**_: Any) -> None:
    _stopping.set()
    threading.Thread(target=engine_host.stop, name="engine-stop", daemon=True).start()


def _beat() -> None:
    client = Redis.from_url(settings.REDIS_BROKER_URL, socket_timeout=1, socket_connect_timeout=1)
    while not _stopping.wait(HEARTBEAT_SECONDS):
        try:
            client.set(HEARTBEAT_KEY, f"{time.time():.3f}", ex=HEARTBEAT_KEPT_SECONDS)
        except RedisError as error:
            logger.warning("heartbeat_not_written", error=str(error))
        engine_host.end_if_stuck()
