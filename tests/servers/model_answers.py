"""Answers of a model server as bytes on a connection: whole, refused, broken off, streamed event by event."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, NamedTuple

from tests.servers.listening import Connection
from tests.servers.model_script import Refusal, Script
from tests.servers.wires.base import Piece, Question, Wire

PAGE = b"<!doctype html><html><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"


class Sent(NamedTuple):
    """One event: when it was about to be sent, and "text", "reasoning", "tool" or "other"."""

    at: float
    what: str


@dataclass
class Asked:
    """One request and what became of it. `hung_up`: the other side closed before the answer was over."""

    dialect: str
    question: Question
    path: str
    headers: Mapping[str, str]
    body: Any
    received_at: float
    sent: list[Sent] = field(default_factory=list)
    ended_at: float = 0.0
    hung_up: bool = False

    def moments(self, *what: str) -> list[float]:
        """When tokens of these sorts were sent; without any, tokens of all sorts."""
        return [sent.at for sent in self.sent if sent.what in (what or ("text", "reasoning", "tool"))]


class Stream:
    """One answer, event by event."""

    def __init__(self, connection: Connection, wire: Wire, asked: Asked, script: Script) -> None:
        self._connection = connection
        self._wire = wire
        self._asked = asked
        self._script = script
        self._packer = zlib.compressobj(wbits=31) if script.gzip else None

    def send(self) -> None:
        """Headers, then every piece at its moment, then the end it is to have."""
        self._connection.send(self._head())
        if self._script.fault == "headers_only":
            self._connection.hold()
            return
        for what, data in self._pieces():
            self._asked.sent.append(Sent(time.monotonic(), what))
            self._write(data)
        self._end()

    def _head(self) -> bytes:
        headers = answer_headers(self._wire, self._script) | {"Content-Type": self._wire.content_type}
        headers |= {"Content-Encoding": "gzip"} if self._packer else {}
        headers |= {"Connection": "close"} if self._script.unframed else {"Transfer-Encoding": "chunked"}
        return head(200, headers)

    def _pieces(self) -> Iterator[Piece]:
        wire, question, script = self._wire, self._asked.question, self._script
        if script.fault == "no_choices":
            yield from [*wire.opening(question, script), ("other", wire.framed(wire.no_choices(question)))]
            return
        yield from wire.opening(question, script)
        yield from self._words()
        if script.fault in ("", "garbage"):
            yield from wire.closing(question, script)

    def _words(self) -> Iterator[Piece]:
        """Tokens at their moments, with whatever goes wrong among them."""
        script, said = self._script, 0
        while True:
            for what, data in self._wire.words(self._asked.question, script):
                if what != "other":
                    self._connection.hold(script.delay if said else script.first_delay)
                    said += 1
                    if script.pings:
                        yield "other", self._wire.ping
                yield what, data
                if script.fault not in ("", "endless") and said >= script.fault_after:
                    yield from self._fault()
                    if script.fault != "garbage":
                        return
            if script.fault != "endless" or self._connection.stopping.is_set():
                return

    def _fault(self) -> Iterator[Piece]:
        if self._script.fault == "garbage" and not any(sent.what == "garbage" for sent in self._asked.sent):
            yield "garbage", self._wire.garbage
        elif self._script.fault == "error_event":
            yield "other", self._wire.error_event()

    def _write(self, data: bytes) -> None:
        if self._packer is not None:
            data = self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        size = self._script.write_bytes or len(data)
        for start in range(0, len(data), size):
            part = data[start : start + size]
            self._connection.send(part if self._script.unframed else b"%x\r\n%s\r\n" % (len(part), part))

    def _end(self) -> None:
        fault = self._script.fault
        if fault == "stall":
            self._connection.hold()
        elif fault == "reset":
            self._connection.reset()
        elif fault == "cut":
            # In the middle of a message: a chunk is announced and does not come.
            self._connection.send(b"40\r\ndata: {")
        else:
            if self._packer is not None:
                rest = self._packer.flush()
                self._connection.send(b"%x\r\n%s\r\n" % (len(rest), rest))
            if not self._script.unframed:
                self._connection.send(b"0\r\n\r\n")


def answer_headers(wire: Wire, script: Script) -> dict[str, str]:
    return {**(wire.head_room() if script.head_room else {}), **script.headers}


def refuse(connection: Connection, wire: Wire, refusal: Refusal) -> None:
    if refusal.html:
        send_whole(connection, refusal.status, PAGE, {"Content-Type": "text/html"})
    else:
        send_whole(connection, refusal.status, wire.error(refusal), dict(refusal.headers))


def send_whole(connection: Connection, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    connection.send(head(status, lines) + data)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    words = responses.get(status, "Told So")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {words}\r\n{lines}\r\n".encode()


def send_broken(connection: Connection, script: Script, body: bytes) -> None:
    """An answer that does not stream breaks off in the same ways."""
    connection.send(head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))}))
    if script.fault != "headers_only":
        connection.send(body[: len(body) // 2])
    if script.fault in ("headers_only", "stall"):
        connection.hold()
    elif script.fault == "reset":
        connection.reset()
