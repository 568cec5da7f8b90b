"""The ASGI edge of pings: answered below the view layer, because a ping needs no request object, session or page.

    application = PingEdge(application)

Only the paths of pings are taken; everything else passes through untouched. Neither paths nor keys are ever logged.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import structlog

from apps.checks.heartbeats import dialects
from apps.checks.heartbeats.answers import BODY_LIMIT_BYTES, Answer, Outcome
from apps.checks.heartbeats.dialects import Arrival, Dialect, PingRequest
from apps.checks.heartbeats.inbox import Inbox
from apps.checks.heartbeats.storing import Told

# The ASGI callables, as loosely as the servers and frameworks around us type them.
Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = structlog.get_logger(__name__)

# The rest of a body above the kept part is read and thrown away up to here.
READ_LIMIT_BYTES = 5 * 1024 * 1024
BODY_SECONDS = 30.0


class _GoneError(Exception):
    """The client left before its body was whole."""


class _RefusedError(Exception):
    """The body cannot be taken."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


# Of this process: received, then what became of them by outcome, and refusals by status.
_counted: Counter[str] = Counter()
_inboxes: list[Inbox] = []


def statistics() -> dict[str, Any]:
    """Since this process began: `received`, `stored`, `refused` (by HTTP status), and `groups` (commits)."""
    return {
        "received": _counted["received"],
        "stored": _counted["stored"],
        "refused": {int(name): count for name, count in _counted.items() if name.isdecimal()},
        "groups": sum(inbox.groups for inbox in _inboxes),
    }


class PingEdge:
    """Takes pings, and hands every other request to `application`."""

    def __init__(self, application: Application, inbox: Inbox | None = None) -> None:
        self.application = application
        self.inbox = inbox or Inbox()
        _inboxes.append(self.inbox)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            dialect = dialects.dialect_of(scope["path"])
            if dialect is not None:
                return self._answer(dialect, scope, receive, send)
        return self.application(scope, receive, send)

    async def _answer(self, dialect: Dialect, scope: Scope, receive: Receive, send: Send) -> None:
        _counted["received"] += 1
        try:
            answer = await self._take(dialect, scope, receive)
        except _GoneError:
            return
        except _RefusedError as refused:
            answer = dialect.answers[refused.outcome]
        except Exception as error:  # whatever it is, the client must not take it for a stored ping
            # Without the traceback's values: they hold the key.
            logger.error("ping_failed", dialect=dialect.name, error=type(error).__name__, place=_place(error))
            answer = dialect.answers[Outcome.BROKEN]
        _counted["stored" if answer.status in _SAFE else str(answer.status)] += 1
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _take(self, dialect: Dialect, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        arrival = Arrival(scope["method"], scope["path"], scope["query_string"], headers)
        request = dialects.parse(dialect, arrival)
        if isinstance(request, Answer):
            return request
        kept, size = await read_body(receive)
        return dialect.answers[await self.inbox.put(_told(request, client_address(scope, headers), kept, size))]


_SAFE = frozenset({200, 201})


def _told(request: PingRequest, address: str, kept: bytes, size: int) -> Told:
    """What was said in the query comes before a posted body."""
    if request.text:
        kept, size = request.text[:BODY_LIMIT_BYTES], len(request.text)
    return Told(request, address, kept, size)


async def read_body(receive: Receive, *, seconds: float = BODY_SECONDS) -> tuple[bytes, int]:
    """The first 100,000 bytes, and how many there were. Raises when there are too many, or they come too slowly."""
    message = await receive()
    body = _part(message)
    if not message.get("more_body", False):
        return body[:BODY_LIMIT_BYTES], len(body)
    kept = bytearray(body[:BODY_LIMIT_BYTES])
    size = len(body)
    try:
        async with asyncio.timeout(seconds):
            while message.get("more_body", False):
                message = await receive()
                body = _part(message)
                size += len(body)
                if size > READ_LIMIT_BYTES:
                    raise _RefusedError(Outcome.TOO_LARGE)
                kept += body[: BODY_LIMIT_BYTES - len(kept)]
    except TimeoutError:
        raise _RefusedError(Outcome.TOO_SLOW) from None
    return bytes(kept), size


def _part(message: Any) -> bytes:
    if message["type"] == "http.disconnect":
        raise _GoneError
    body: bytes = message.get("body", b"")
    return body


def client_address(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """Who sent it; behind a proxy on this machine, whom that says. Its own word is the last of the header's."""
    peer = str(scope["client"][0]) if scope.get("client") else ""
    forwarded = headers.get(b"x-forwarded-for")
    if forwarded is None or not _is_loopback(peer):
        return peer[:45]
    said = forwarded.decode("latin-1").rpartition(",")[2].strip()
    try:
        return str(ip_address(said))[:45]
    except ValueError:
        return peer[:45]


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def _place(error: BaseException) -> str:
    """The innermost line of ours or others' that raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
