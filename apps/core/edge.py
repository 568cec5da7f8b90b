"""The ASGI edge: what is refused before Django sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.utils import translation
from django.utils.translation import gettext

from apps.core.instance import instance_id
from apps.core.outages import plain_answer
from apps.core.outbound.exchange import INSTANCE_HEADER

# The ASGI callables, as loosely as the servers and frameworks around us type them.
Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# How much of a refused body is read so that the client gets to see the answer instead of a reset.
_DRAIN_BYTES = 64 * 1024 * 1024


_INSTANCE_HEADER = INSTANCE_HEADER.encode()


class LoopGuard:
    """Answers 508 Loop Detected, with our id, to what this portal itself has sent: a webhook that leads back here."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and _is_our_own(scope):
            return _refuse_loop(receive, send)
        return self.application(scope, receive, send)


def _is_our_own(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == _INSTANCE_HEADER:
            return bool(value == instance_id().encode())
    return False


async def _refuse_loop(receive: Receive, send: Send) -> None:
    await _drain(receive)
    body = gettext("This request was sent by this portal itself: what sends it leads in a circle.").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers.append((_INSTANCE_HEADER, instance_id().encode()))
    await send({"type": "http.response.start", "status": 508, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _TooLargeError(Exception):
    """More bytes arrived than a body may have."""


class BodyLimit:
    """Answers 413 to a body above `limit` bytes, by its Content-Length or, when that is absent, by counting."""

    def __init__(self, application: Application, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if _declared_length(scope) > self.limit:
            await _drain(receive)
            await self._refuse(scope, send)
            return
        await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0
        started = False

        async def counted_receive() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                if message.get("more_body", False):
                    await _drain(receive)
                raise _TooLargeError
            return message

        async def watched_send(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.application(scope, counted_receive, watched_send)
        except _TooLargeError:
            if not started:
                await self._refuse(scope, send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        with translation.override(translation.get_language_from_request(ASGIRequest(scope, BytesIO()))):
            sentence = gettext("The body is larger than %(limit)s MB, which is the most that is accepted.") % {
                "limit": f"{self.limit / 1024 / 1024:g}"
            }
            answer = plain_answer(scope["path"], 413, sentence)
        headers = [(b"content-type", answer["Content-Type"].encode())]
        headers += [(b"content-length", str(len(answer.content)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _drain(receive: Receive) -> None:
    drained = 0
    while drained < _DRAIN_BYTES:
        message = await receive()
        drained += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
