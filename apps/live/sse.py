"""`GET /api/v1/events/`: the same events for scripts, as server-sent events.

Each has `id:`, `event:` (its type) and `data:` (its JSON). A comment every 15 s keeps proxies from closing the line.
A client that comes back with `Last-Event-ID` is told `resync` first: nothing is kept for it, it fetches what it
shows. The stream ends when the token, the password or the account no longer holds, and when news may have been
missed; the client's reconnect then gets the right answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError

from apps.accounts.authentication import CHALLENGE
from apps.core.ids import uuid7
from apps.live.events import RESYNC, Event, encode, make_event
from apps.live.following import AccessEndedError, Pace, follow, in_thread
from apps.live.groups import group_of
from apps.live.hub import Hub, LayerLostError, hub_of_this_loop
from apps.live.subscription import Caller, Subscription, identify, parse_subscription
from apps.live.viewers import Viewer

logger = structlog.get_logger(__name__)

MAX_STREAMS_A_USER = 20
RETRY_MILLISECONDS = 3_000
_HEARTBEAT = b": heartbeat\n\n"


@dataclass(frozen=True)
class _Stream:
    """One accepted client."""

    hub: Hub
    caller: Caller
    subscription: Subscription
    viewer: Viewer
    pace: Pace
    resync: bool

    async def ask_again(self) -> Viewer | None:
        viewer = await in_thread(self.caller.ask_again)
        return self.subscription.narrow(viewer) if viewer else None


def events_view(pace: Pace | None = None) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]:
    """The view, with another pace for tests."""
    chosen = pace or Pace()

    @csrf_exempt  # nothing is written here; without it another method would be told of a missing CSRF token
    async def events(request: HttpRequest) -> HttpResponseBase:
        try:
            if request.method != "GET":
                raise MethodNotAllowed(request.method or "")
            return _respond(await _open(request, chosen))
        except ValidationError as error:
            return JsonResponse(error.detail, status=400)
        except APIException as error:
            return _refuse(error)
        except LayerLostError as error:
            logger.info("live_stream_not_served", error=repr(error))
            return _unavailable()

    return events


async def _open(request: HttpRequest, pace: Pace) -> _Stream | None:
    """None when the user has too many streams. Raises what `events` answers."""
    caller, viewer = await in_thread(identify, request)
    subscription = parse_subscription(request.GET, viewer)
    viewer = subscription.narrow(viewer)
    hub = await hub_of_this_loop()
    if hub.count(viewer.user, session=bool(viewer.session)) >= MAX_STREAMS_A_USER:
        return None
    await hub.join(map(group_of, viewer.environments))
    return _Stream(hub, caller, subscription, viewer, pace, resync="Last-Event-ID" in request.headers)


def _respond(stream: _Stream | None) -> HttpResponseBase:
    if stream is None:
        return _too_many()
    return StreamingHttpResponse(
        _write(stream),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _write(stream: _Stream) -> AsyncIterator[bytes]:
    # Django gives the request's database connection back when the answer is complete, which here may take days.
    await sync_to_async(close_old_connections)()
    try:
        async with stream.hub.listening(stream.viewer, stream.subscription.wants) as listener:
            # The id alone makes no event, but makes a client that lost the line say that it was here before.
            yield f"retry: {RETRY_MILLISECONDS}\nid: {uuid7()}\n\n".encode()
            if stream.resync:
                yield _frame(make_event(RESYNC))
            async for batch in follow(
                stream.hub, listener, stream.ask_again, stream.pace, end_when_rights_change=False
            ):
                yield b"".join(map(_frame, batch)) or _HEARTBEAT
    except (AccessEndedError, LayerLostError) as error:
        logger.info("live_stream_ended", error=repr(error))


def _frame(event: Event) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (str(event.id).encode(), event.type.encode(), encode(event))


def _refuse(error: APIException) -> JsonResponse:
    headers = {401: {"WWW-Authenticate": CHALLENGE}, 405: {"Allow": "GET"}}.get(error.status_code, {})
    return JsonResponse({"detail": error.detail}, status=error.status_code, headers=headers)


def _too_many() -> JsonResponse:
    sentence = gettext("You have %(limit)s event streams open, which is the most; close one first.")
    return JsonResponse({"detail": sentence % {"limit": MAX_STREAMS_A_USER}}, status=429)


def _unavailable() -> JsonResponse:
    sentence = gettext("Live events cannot be had at the moment. Poll, and try again in a while.")
    return JsonResponse({"detail": sentence}, status=503, headers={"Retry-After": "5"})
