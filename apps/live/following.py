"""What pages and streams have in common: batches at a bounded pace, heartbeats, the right to listen asked again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from apps.live.events import Event
from apps.live.groups import group_of
from apps.live.hub import Hub, LayerLostError
from apps.live.listener import Listener
from apps.live.viewers import Viewer

logger = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Threads of their own, few: a database that hangs must not take the threads of anything else with it.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live-access")


@dataclass(frozen=True)
class Pace:
    """How often a connection is written to, and how often its right to listen is looked at again."""

    window_seconds: float = 0.25  # at most one message in this time, so four a second
    heartbeat_seconds: float = 15.0
    recheck_seconds: float = 30.0


class AccessEndedError(Exception):
    """The one who listens may not any more: signed out, deactivated, or given other rights."""


async def in_thread(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """Run a function that queries the database, in the caller's language, and give its connection back."""

    def call() -> R:
        try:
            return function(*arguments, **options)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, call)


async def follow(
    hub: Hub,
    listener: Listener,
    ask_again: Callable[[], Awaitable[Viewer | None]],
    pace: Pace,
    *,
    end_when_rights_change: bool,
) -> AsyncIterator[list[Event]]:
    """Yield what is to be told now; an empty list is a heartbeat.

    The first event leaves at once and what follows within the window is merged. Raises AccessEndedError or
    LayerLostError; never ends by itself.
    """
    loop = asyncio.get_running_loop()
    heartbeat_at = loop.time() + pace.heartbeat_seconds
    recheck_at = loop.time() + pace.recheck_seconds
    while True:
        await listener.wait(min(heartbeat_at, recheck_at) - loop.time())
        if listener.signed_out:
            raise AccessEndedError
        if listener.doubted or loop.time() >= recheck_at:
            listener.doubted = False
            await _ask_again(hub, listener, ask_again, end_when_rights_change=end_when_rights_change)
            recheck_at = loop.time() + pace.recheck_seconds
        if listener.lost:
            raise LayerLostError("news may have been missed")
        batch = listener.take()
        if batch or loop.time() >= heartbeat_at:
            yield batch
            heartbeat_at = loop.time() + pace.heartbeat_seconds
        if batch:
            await asyncio.sleep(pace.window_seconds)


async def _ask_again(
    hub: Hub, listener: Listener, ask_again: Callable[[], Awaitable[Viewer | None]], *, end_when_rights_change: bool
) -> None:
    try:
        viewer = await ask_again()
    except (OperationalError, InterfaceError) as error:
        # Nobody can say now. Events carry no values, and whatever they lead to asks for permission itself.
        logger.warning("live_access_not_checked", error=repr(error))
        return
    if viewer is None or (end_when_rights_change and viewer.access != listener.viewer.access):
        raise AccessEndedError
    await hub.join(map(group_of, viewer.environments))
    listener.viewer = viewer
