"""What happens with a Celery worker of the portal, here or in a region: its heart begins to beat, and stops."""

from __future__ import annotations

import threading
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from apps.checks import engine_host
from apps.checks.regions.heart import HEARTBEAT_KEY, Heart
from apps.checks.regions.key_watch import KeyWatch
from apps.core.collecting import keep_what_is_loaded
from apps.core.queues import use_clock

__all__ = ["HEARTBEAT_KEY", "key_watch"]

key_watch = KeyWatch()

_heart: Heart | None = None


@worker_ready.connect
def start_heart(sender: Any, **_: Any) -> None:
    global _heart  # noqa: PLW0603 - one heart a process
    keep_what_is_loaded()
    # What this process sends is dated like what it finds.
    use_clock(engine_host.clock.now)
    queues = set(sender.app.amqp.queues.consume_from)
    _heart = Heart(consumer=sender, queues=queues, region=settings.PORTAL_REGION, key=key_watch)
    _heart.start()


@worker_shutting_down.connect
def stop_heart(**_: Any) -> None:
    threading.Thread(target=_stop, name="worker-stop", daemon=True).start()


def _stop() -> None:
    if _heart is not None:
        _heart.stop()
    engine_host.stop()
