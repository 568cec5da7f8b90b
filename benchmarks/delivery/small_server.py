"""A small HTTP/1.1 server that costs next to nothing beside what is measured: requests in, answers out, no threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """One request. `moment` is Unix seconds: when its first byte was here. Header names are lower case."""

    moment: float
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered, `after_seconds` from when the request was complete."""

    status: int = HTTPStatus.OK
    body: bytes = b"{}"
    after_seconds: float = 0.0


Behaviour = Callable[[Request], Answer]


class _Connection(asyncio.Protocol):
    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._buffer = bytearray()
        self._moment = 0.0
        self._invited = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._moment = time.time()
        self._buffer += data
        while (request := self._take()) is not None:
            answer = self._behave(request)
            if answer.after_seconds > 0:
                asyncio.get_running_loop().call_later(answer.after_seconds, self._write, answer)
            else:
                self._write(answer)

    def _take(self) -> Request | None:
        """The next complete request, or None while bytes of it are missing."""
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        begin = end + len(_HEAD_END)
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < begin + length:
            if headers.get("expect", "").lower() == "100-continue" and not self._invited:
                self._invited = True
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(self._buffer[begin : begin + length])
        del self._buffer[: begin + length]
        self._invited = False
        return Request(self._moment, first.split(" ")[1], headers, body)

    def _write(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        head = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\nContent-Type: application/json\r\n"
        self._transport.write(f"{head}Content-Length: {len(answer.body)}\r\n\r\n".encode() + answer.body)


async def listen(behave: Behaviour, port: int = 0) -> asyncio.Server:
    """Listen on loopback; port 0 takes a free one."""
    return await asyncio.get_running_loop().create_server(lambda: _Connection(behave), "127.0.0.1", port, backlog=4_096)


@contextmanager
def serving(behave: Behaviour) -> Iterator[int]:
    """Serve from a thread of this process inside the block; gives the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(listen(behave))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
