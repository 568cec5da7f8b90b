"""One hub an event loop (so one a web process): a single subscription to the channel layer, shared by all its pages.

A message is received and decoded once however many pages are open, opening a page costs no round trip once its
environments are joined, and nothing that arrives asks the database anything.

The layer itself reconnects silently after its server went away and says nothing about what was missed. So the hub
ends for good as soon as that may have happened: every page is closed, comes back to a new hub, and fetches what it
shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from apps.live import groups
from apps.live.events import decode
from apps.live.listener import Listener
from apps.live.viewers import Viewer

logger = structlog.get_logger(__name__)

# A message through the layer and back: how often, and how long it may take before the layer counts as lost.
PULSE_SECONDS = 15.0
PULSE_TIMEOUT_SECONDS = 2.0
# A hub stays a while after its last listener left: most come back at once, because they went to the next page.
LINGER_SECONDS = 5.0


class LayerLostError(Exception):
    """The channel layer cannot be reached, or was away for a moment: news may have been missed."""


class Hub:
    """Receives for every listener of this loop. Make one with `hub_of_this_loop`."""

    def __init__(self, pulse_seconds: float = PULSE_SECONDS) -> None:
        self._pulse_seconds = pulse_seconds
        self._layer = get_channel_layer()
        self._channel = ""
        self._joined: set[str] = set()
        self._joining = asyncio.Lock()
        self._pulses: dict[str, asyncio.Future[None]] = {}
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._left_at = time.monotonic()
        self.ended = False

    # --- its life ------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Subscribe. Raises LayerLostError when the layer does not answer."""
        try:
            async with asyncio.timeout(PULSE_TIMEOUT_SECONDS):
                self._channel = await self._layer.new_channel()
                sentinel = await self._open_sentinel()
        except Exception as error:
            await self.end()
            raise LayerLostError(repr(error)) from error
        self._tasks = [
            asyncio.create_task(self._guard(self._receive())),
            asyncio.create_task(self._guard(self._watch(sentinel))),
            asyncio.create_task(self._guard(self._pulse())),
            asyncio.create_task(self._guard(self._linger())),
        ]
        await self.join([groups.ALL, groups.ACCESS])

    async def end(self) -> None:
        """Close everything; each listener learns that it missed something."""
        if self.ended:
            return
        self.ended = True
        for listener in self._listeners:
            listener.lose()
        _forget(self)
        for future in self._pulses.values():
            if not future.done():
                future.set_exception(LayerLostError("the hub has ended"))
        # Flushing first forgets the subscriptions, so that the cancelled receiver need not unsubscribe from a
        # server that may be gone.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(PULSE_TIMEOUT_SECONDS):
                await self._layer.flush()
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not self.ended:
                logger.warning("live_layer_lost", error=repr(error), listeners=len(self._listeners))
        await self.end()

    # --- listening -----------------------------------------------------------------------------------------
    @contextlib.asynccontextmanager
    async def listening(self, viewer: Viewer, wanted: Callable[[str], bool] | None = None) -> AsyncIterator[Listener]:
        """Hear what concerns `viewer` (and is of a `wanted` type) inside the block.

        Raises LayerLostError when the layer does not answer, or has been lost since this hub was asked for.
        """
        if self.ended:
            raise LayerLostError("the hub has ended")
        listener = Listener(viewer, wanted)
        self._listeners.add(listener)
        try:
            await self.join(map(groups.group_of, viewer.environments))
            yield listener
        finally:
            self._listeners.discard(listener)
            self._left_at = time.monotonic()

    async def join(self, names: Iterable[str]) -> None:
        """Make sure these groups are heard from now on. Raises LayerLostError when the layer does not answer."""
        for name in names:
            if name in self._joined:
                continue
            async with self._joining:
                if name not in self._joined:
                    await self._join(name)

    async def _join(self, name: str) -> None:
        try:
            async with asyncio.timeout(PULSE_TIMEOUT_SECONDS):
                await self._layer.group_add(name, self._channel)
                # The layer does not wait for its server's answer; a message that comes back through the group does.
                await self._round_trip(name)
        except Exception as error:
            await self.end()
            raise LayerLostError(repr(error)) from error
        self._joined.add(name)

    def count(self, user: UUID, *, session: bool) -> int:
        """How many connections of this loop listen for `user`, by session or by token."""
        return sum(
            listener.viewer.user == user and bool(listener.viewer.session) == session for listener in self._listeners
        )

    # --- receiving -----------------------------------------------------------------------------------------
    async def _receive(self) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            groups.EVENTS_MESSAGE: self._on_events,
            groups.ACCESS_MESSAGE: self._on_access,
            groups.PULSE_MESSAGE: self._on_pulse,
        }
        while True:
            message = await self._layer.receive(self._channel)
            handler = handlers.get(message.get("type", ""))
            if handler is not None:
                handler(message)

    def _on_events(self, message: dict[str, Any]) -> None:
        for event in decode(message["events"]):
            for listener in self._listeners:
                listener.offer(event)

    def _on_access(self, message: dict[str, Any]) -> None:
        user = UUID(message["user"])
        for listener in self._listeners:
            if listener.viewer.user == user:
                listener.doubt(ended_session=message["session"])

    def _on_pulse(self, message: dict[str, Any]) -> None:
        future = self._pulses.get(message["nonce"])
        if future is not None and not future.done():
            future.set_result(None)

    # --- is it still there? ----------------------------------------------------------------------------------
    async def _round_trip(self, group: str) -> None:
        nonce = secrets.token_hex(8)
        future = self._pulses[nonce] = asyncio.get_running_loop().create_future()
        try:
            await self._layer.group_send(group, {"type": groups.PULSE_MESSAGE, "nonce": nonce})
            await future
        finally:
            del self._pulses[nonce]

    async def _pulse(self) -> None:
        """Notices a server that hangs, or a connection that died in silence."""
        while True:
            await asyncio.sleep(self._pulse_seconds)
            async with asyncio.timeout(PULSE_TIMEOUT_SECONDS):
                await self._round_trip(groups.ALL)

    async def _linger(self) -> None:
        """Returns, which ends the hub, when nobody has listened for a while."""
        while self._listeners or time.monotonic() - self._left_at < LINGER_SECONDS:
            await asyncio.sleep(1)

    async def _open_sentinel(self) -> Any:
        client = Redis.from_url(
            settings.REDIS_LIVE_URL, retry=Retry(NoBackoff(), 0), socket_connect_timeout=1, socket_keepalive=True
        )
        sentinel = client.pubsub()
        await sentinel.subscribe("live.sentinel")
        return sentinel

    async def _watch(self, sentinel: Any) -> None:
        """A connection of our own that only waits: it breaks when the server restarts, however short that was."""
        try:
            while True:
                await sentinel.get_message(timeout=None)
        finally:
            with contextlib.suppress(Exception):
                await sentinel.aclose()
                await sentinel.connection_pool.disconnect()


_hubs: dict[asyncio.AbstractEventLoop, asyncio.Task[Hub]] = {}


async def hub_of_this_loop() -> Hub:
    """The running hub of this event loop, started when there is none. Raises LayerLostError."""
    loop = asyncio.get_running_loop()
    while True:
        starting = _hubs.get(loop)
        if starting is None:
            starting = _hubs[loop] = loop.create_task(_start())
        # Many pages come back at once after a restart: they wait for the same attempt, and none can cancel it.
        hub = await asyncio.shield(starting)
        if not hub.ended:
            return hub


async def _start() -> Hub:
    try:
        hub = Hub()
        await hub.start()
    except BaseException:
        _hubs.pop(asyncio.get_running_loop(), None)
        raise
    return hub


def _forget(hub: Hub) -> None:
    """Let the next one who asks start another."""
    loop = asyncio.get_running_loop()
    starting = _hubs.get(loop)
    if starting is not None and starting.done() and starting.result() is hub:
        del _hubs[loop]
