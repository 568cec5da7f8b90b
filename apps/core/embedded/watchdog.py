"""Noticing a worker that is there but does nothing: silent while its queues grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from apps.core.embedded.broker import broker_client

HEARTBEAT_KEY = "portal:worker:heartbeat"
_QUEUE_PREFIX = "portal:"
_SILENT_SECONDS = 15.0
_GRACE_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 1.0


class SilenceRule:
    """Decides, look by look, whether the worker must be restarted. The clock is an argument, in seconds."""

    def __init__(self, now: float) -> None:
        self._heartbeat: str | None = None
        self._queued = 0
        self._allowed_until = now + _GRACE_SECONDS

    def worker_started(self, now: float) -> None:
        """A new worker gets time to import and connect before its silence counts."""
        self._heartbeat, self._queued = None, 0
        self._allowed_until = now + _GRACE_SECONDS

    def is_stuck(self, now: float, heartbeat: str | None, queued: int) -> bool:
        """Whether nothing was heard for 15 s (30 s after a start) while the queues grew."""
        if heartbeat is not None and heartbeat != self._heartbeat:
            first = self._heartbeat is None
            self._heartbeat, self._queued = heartbeat, queued
            # What the previous worker left behind must not end the grace of this one.
            silent_until = now + _SILENT_SECONDS
            self._allowed_until = max(self._allowed_until, silent_until) if first else silent_until
            return False
        return now > self._allowed_until and queued > self._queued


class Watchdog:
    """Looks once a second at the worker's heartbeat and its queues in Redis or Valkey."""

    def __init__(self, redis_url: str, queues: Sequence[str]) -> None:
        self._client = broker_client(redis_url)
        self._keys = [f"{_QUEUE_PREFIX}{queue}" for queue in queues]
        self._rule = SilenceRule(time.monotonic())
        self._next_look = 0.0

    def worker_started(self) -> None:
        """Tell that the launcher has just started the worker."""
        self._rule.worker_started(time.monotonic())

    def look(self, restart: Callable[[], None]) -> None:
        """Call `restart` when the worker is stuck. A store that does not answer says nothing about the worker."""
        from redis import RedisError  # noqa: PLC0415

        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_EVERY_SECONDS
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.get(HEARTBEAT_KEY)
            for key in self._keys:
                pipeline.llen(key)
            heartbeat, *lengths = pipeline.execute()
        except (RedisError, OSError):
            return
        if self._rule.is_stuck(time.monotonic(), heartbeat, sum(lengths)):
            restart()
