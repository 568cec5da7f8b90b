"""Sending to the channel layer from synchronous code, without ever delaying or failing it.

Whoever commits hands its messages to one thread of the process and goes on at once. That thread owns an event loop
and one connection, where `async_to_sync` would open a loop and a connection for every message. If the layer does not
answer, messages are dropped and pages are told to fetch everything as soon as it does: news is a convenience, the
facts are rows.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from channels.layers import get_channel_layer

from apps.live import groups
from apps.live.events import RESYNC, make_event

logger = structlog.get_logger(__name__)

SEND_TIMEOUT_SECONDS = 1.0
RETRY_SECONDS = 2.0
MAX_WAITING = 1_000
# How long an ending process (a management command) may take to send what waits.
FLUSH_SECONDS = 0.5

Message = tuple[str, dict[str, Any]]


class Sender:
    """Messages from any thread to the channel layer, in order, at most once. Safe to use after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: int | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: _Worker | None = None

    def send(self, messages: Iterable[Message]) -> None:
        """Hand over (group, message) pairs and return at once. Never raises for a layer that is away."""
        loop, worker = self._running()
        loop.call_soon_threadsafe(worker.enqueue, list(messages))

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until everything handed over so far was sent or dropped; False when that took too long."""
        if self._process != os.getpid() or self._loop is None or self._worker is None:
            return True
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._worker.when_idle, done.set)
        return done.wait(seconds)

    def close(self, seconds: float = 5.0) -> None:
        """Stop the thread; what waits is dropped. The next `send` starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None or self._process != os.getpid() or self._loop is None or self._worker is None:
                return
            self._loop.call_soon_threadsafe(self._worker.stop)
            thread.join(seconds)
            self._loop = self._worker = None

    def _running(self) -> tuple[asyncio.AbstractEventLoop, _Worker]:
        with self._lock:
            if self._process != os.getpid() or self._loop is None or self._worker is None:
                self._start()
            assert self._loop is not None  # noqa: S101 - set by _start
            assert self._worker is not None  # noqa: S101
            return self._loop, self._worker

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        worker = _Worker()

        def run() -> None:
            asyncio.set_event_loop(loop)
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(worker.run())
            loop.close()

        self._thread = threading.Thread(target=run, name="live-sender", daemon=True)
        self._thread.start()
        self._process, self._loop, self._worker = os.getpid(), loop, worker
        atexit.register(self.flush)


class _Worker:
    """Lives in the sender's loop. `broken` holds from a failed send until a `resync` went through."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._idle = True
        self._broken = False
        self._reported = False
        self._idle_callbacks: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def enqueue(self, messages: list[Message]) -> None:
        self._waiting.extend(messages)
        if len(self._waiting) > MAX_WAITING:
            self._break("too many messages wait")
        self._wake.set()

    def when_idle(self, callback: Callable[[], None]) -> None:
        if self._idle and not self._waiting:
            callback()
        else:
            self._idle_callbacks.append(callback)

    async def run(self) -> None:
        self._task = asyncio.current_task()
        while True:
            if self._broken:
                await self._mend()
            elif self._waiting:
                self._idle = False
                await self._attempt(*self._waiting.popleft())
            else:
                self._become_idle()
                self._wake.clear()
                await self._wake.wait()

    async def _mend(self) -> None:
        """Try, after a pause, to tell everybody to fetch everything; only then is anything else sent again.

        What was handed over before an attempt is covered by its `resync`; what comes during it is kept.
        """
        self._become_idle()
        await asyncio.sleep(RETRY_SECONDS)
        self._waiting.clear()
        self._broken = False
        if await self._attempt(groups.ALL, groups.events_message([make_event(RESYNC)])):
            self._reported = False
            logger.info("live_sending_resumed")

    async def _attempt(self, group: str, message: dict[str, Any]) -> bool:
        try:
            await asyncio.wait_for(get_channel_layer().group_send(group, message), SEND_TIMEOUT_SECONDS)
        except Exception as error:  # whatever a layer raises, the thread lives on
            self._break(repr(error))
            return False
        return True

    def _break(self, error: str) -> None:
        self._broken = True
        self._waiting.clear()
        if not self._reported:
            self._reported = True
            logger.warning("live_sending_failed", error=error, retry_seconds=RETRY_SECONDS)

    def _become_idle(self) -> None:
        self._idle = True
        callbacks, self._idle_callbacks = self._idle_callbacks, []
        for callback in callbacks:
            callback()


sender = Sender()
