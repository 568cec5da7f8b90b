"""The WebSocket of our own pages, `/ws/live/`: events out, nothing in.

A message is a JSON list of events (see `events`); an empty list is a heartbeat. It is accepted only once the hub
hears the viewer's environments, so a page that fetches after `open` has missed nothing.

Close codes: 4401 signed out, deactivated, or other rights than before (sign in again); 4503 news may have been
missed or cannot be had now (come back and fetch); 4500 we failed (likewise); 4413 and 4429 the client said too much.
All are of the range for applications: Daphne's WebSocket library sends no other.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import parse_cookie

from apps.live.events import encode
from apps.live.following import AccessEndedError, Pace, follow, in_thread
from apps.live.hub import LayerLostError, hub_of_this_loop
from apps.live.origins import is_own_origin
from apps.live.viewers import Viewer, viewer_of_session

logger = structlog.get_logger(__name__)

CLOSE_SIGNED_OUT = 4401
CLOSE_TRY_AGAIN = 4503
CLOSE_FAILED = 4500
CLOSE_TOO_LARGE = 4413
CLOSE_TOO_MUCH = 4429

MAX_INCOMING_BYTES = 1_024
# Nothing a client says means anything; a few words (an application's keep-alive) do no harm.
MAX_INCOMING_MESSAGES = 100
MAX_SOCKETS_A_USER = 100


class LiveConsumer(AsyncWebsocketConsumer):
    """One open page. `pace` is how often it is written to and its session looked at again."""

    # The hub receives for all pages of the process; a channel for each would be one more subscription each.
    channel_layer_alias = ""

    def __init__(self, pace: Pace | None = None) -> None:
        super().__init__()
        self._pace = pace or Pace()
        self._task: asyncio.Task[None] | None = None
        self._received = 0

    async def connect(self) -> None:
        headers = _headers(self.scope)
        if not is_own_origin(headers.get(b"origin"), headers.get(b"host"), settings.CSRF_TRUSTED_ORIGINS):
            logger.info("live_origin_refused", origin=headers.get(b"origin"), host=headers.get(b"host"))
            await self.close()
            return
        cookies = parse_cookie(headers.get(b"cookie", ""))
        self._session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")
        self._task = asyncio.create_task(self._run())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._received += 1
        if len(text_data or bytes_data or "") > MAX_INCOMING_BYTES:
            await self._leave(CLOSE_TOO_LARGE)
        elif self._received > MAX_INCOMING_MESSAGES:
            await self._leave(CLOSE_TOO_MUCH)

    async def disconnect(self, code: int) -> None:
        await self._stop()

    async def _run(self) -> None:
        """From the handshake to the close."""
        accepted = False
        try:
            viewer = await self._ask()
            if viewer is None:
                raise AccessEndedError
            hub = await hub_of_this_loop()
            if hub.count(viewer.user, session=True) >= MAX_SOCKETS_A_USER:
                raise LayerLostError("too many sockets of one user")
            async with hub.listening(viewer) as listener:
                await self.accept()
                accepted = True
                async for batch in follow(hub, listener, self._ask, self._pace, end_when_rights_change=True):
                    await self.send(text_data=encode(batch).decode())
        except AccessEndedError:
            await self._end(CLOSE_SIGNED_OUT, accepted=accepted)
        except (LayerLostError, OperationalError, InterfaceError) as error:
            logger.info("live_socket_not_served", error=repr(error))
            await self._end(CLOSE_TRY_AGAIN, accepted=accepted)
        except Exception:  # the task's last line: an open socket that says nothing more would look alive
            logger.exception("live_socket_failed")
            await self._end(CLOSE_FAILED, accepted=accepted)

    async def _ask(self) -> Viewer | None:
        return await in_thread(viewer_of_session, self._session_key)

    async def _end(self, code: int, *, accepted: bool) -> None:
        """Close, or refuse what was not accepted yet. Only a page that has to sign in is let in to be told so."""
        if not accepted and code == CLOSE_SIGNED_OUT:
            await self.accept()
        await self.close(code=code)

    async def _leave(self, code: int) -> None:
        await self._stop()
        await self.close(code=code)

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Any other path: refused, where the router would raise."""

    channel_layer_alias = ""

    async def connect(self) -> None:
        await self.close()


def _headers(scope: dict[str, Any]) -> dict[bytes, str]:
    return {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
