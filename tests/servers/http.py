"""An HTTP server that does as it is told: right answers, wrong answers, and every way of not answering.

    with HttpServer() as server:
        server.behave("/", answer(503))
        server.url("/")

The paths of FAULTS behave as named without being told.
"""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.servers.listening import Connection, ListeningServer

GIGABYTE = 1024**3


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


Behaviour = Callable[[Connection, Received], None]


def answer(
    status: int = 200, body: str | bytes | dict[str, Any] | list[Any] = "fine", headers: Mapping[str, str] | None = None
) -> Behaviour:
    """An ordinary answer; a dict or a list is sent as JSON."""
    content_type = "text/plain; charset=utf-8"
    if isinstance(body, dict | list):
        body, content_type = json.dumps(body), "application/json"
    data = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": content_type, "Content-Length": str(len(data)), **(headers or {})}

    def behave(connection: Connection, received: Received) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        payload = b"" if received.method == "HEAD" else data
        connection.send(f"HTTP/1.1 {status} Told So\r\n{head}\r\n".encode() + payload)

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    return answer(status, "", {"Location": location})


def after(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same, later."""

    def behave(connection: Connection, received: Received) -> None:
        connection.hold(seconds)
        behaviour(connection, received)

    return behave


def hang(connection: Connection, _received: Received) -> None:
    """Takes the request and never answers."""
    connection.hold()


def drip(connection: Connection, _received: Received) -> None:
    """Begins at once, then one byte every 50 ms."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
    while not connection.stopping.wait(0.05):
        connection.send(b".")


def reset(connection: Connection, _received: Received) -> None:
    """Breaks off with a TCP reset."""
    connection.reset()


def reset_halfway(connection: Connection, _received: Received) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe beginn")
    connection.reset()


def empty(_connection: Connection, _received: Received) -> None:
    """Closes without a word."""


def garbage(connection: Connection, _received: Received) -> None:
    connection.send(b"SSH-2.0-OpenSSH_9.2\r\n")


def endless_headers(connection: Connection, _received: Received) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connection.send(b"X-More-%d: %s\r\n" % (number, b"a" * 100))


def huge(connection: Connection, _received: Received) -> None:
    """A body of one gigabyte, honestly announced and really sent."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % GIGABYTE)
    chunk = b"x" * 65_536
    for _turn in range(GIGABYTE // len(chunk)):
        connection.send(chunk)


def gzip_bomb(connection: Connection, _received: Received) -> None:
    """Twenty megabytes of zeros in twenty kilobytes."""
    _send_packed(connection, _bomb(), "gzip")


@cache
def _bomb() -> bytes:
    return gzip.compress(b"\0" * 20 * 1024**2)


def gzipped(text: str) -> Behaviour:
    """An honest compressed answer."""
    packed = gzip.compress(text.encode())
    return lambda connection, _received: _send_packed(connection, packed, "gzip")


def _send_packed(connection: Connection, packed: bytes, coding: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: {coding}\r\n"
    connection.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(packed) + packed)


FAULTS: dict[str, Behaviour] = {
    "/hang": hang,
    "/drip": drip,
    "/reset": reset,
    "/reset-halfway": reset_halfway,
    "/empty": empty,
    "/garbage": garbage,
    "/endless-headers": endless_headers,
    "/huge": huge,
    "/bomb": gzip_bomb,
    "/loop": redirect("/loop"),
}


@dataclass
class _Told:
    behaviours: dict[str, Behaviour] = field(default_factory=lambda: dict(FAULTS))
    received: list[Received] = field(default_factory=list)


class HttpServer(ListeningServer):
    """One request a connection, or with `keep_alive` one after another.

    Unknown paths answer 200 "fine"; `received` keeps every request.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", keep_alive: bool = False) -> None:
        self._told = _Told()
        self._keep_alive = keep_alive
        self._host = host
        self._scheme = "https" if tls else "http"
        super().__init__(tls)

    @property
    def received(self) -> list[Received]:
        return self._told.received

    def behave(self, path: str, behaviour: Behaviour) -> str:
        """From now on `path` (without query) behaves so. Returns its URL."""
        self._told.behaviours[path] = behaviour
        return self.url(path)

    def url(self, path: str = "/", host: str = "") -> str:
        return f"{self._scheme}://{host or self._host}:{self.port}{path}"

    def serve(self, connection: Connection) -> None:
        while received := read_request(connection):
            self.received.append(received)
            self._told.behaviours.get(received.path.partition("?")[0], answer())(connection, received)
            if not self._keep_alive:
                return


def read_request(connection: Connection) -> Received | None:
    """The next request, whole; None when the peer closed instead."""
    head, separator, rest = connection.read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(rest) < length:
        chunk = connection.raw.recv(65_536)
        if not chunk:
            break
        rest += chunk
    return Received(method, path, headers, rest)
