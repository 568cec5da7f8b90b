"""An HTTP/2 server over TLS, written by hand in frames, so that it can break every rule a library would keep.

    with Http2Server(authority.good(), answered()) as server:
        server.url()

Whoever does not ask for HTTP/2 gets an HTTP/1.1 answer. Header blocks of requests are not read: HPACK is long.
"""

from __future__ import annotations

import ssl
import struct
from collections.abc import Callable, Mapping

from tests.servers.listening import Connection, ListeningServer

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _CONTINUATION = 0, 1, 3, 4, 6, 7, 9
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

Behaviour = Callable[[Connection, int], None]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame as it goes over the wire."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def block(status: int, headers: Mapping[str, str] | None = None) -> bytes:
    """A header block of literals that leave the dynamic table alone (RFC 7541, 6.2.2)."""
    lines = [b"\x08" + _text(str(status))]
    lines += [b"\x00" + _text(name) + _text(value) for name, value in (headers or {}).items()]
    return b"".join(lines)


def _text(value: str) -> bytes:
    data = value.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, length = len(data) - 127, b"\x7f"
    while rest >= 128:
        rest, length = rest // 128, length + bytes([rest % 128 + 128])
    return length + bytes([rest]) + data


def answered(status: int = 200, body: bytes = b"fine", headers: Mapping[str, str] | None = None) -> Behaviour:
    """An ordinary answer."""

    def behave(connection: Connection, stream: int) -> None:
        connection.send(frame(_HEADERS, _END_HEADERS, stream, block(status, headers)))
        connection.send(frame(_DATA, _END_STREAM, stream, body))

    return behave


def silent(_connection: Connection, _stream: int) -> None:
    """No answer; the connection stays open."""


def huge(connection: Connection, stream: int) -> None:
    """A body that never ends."""
    connection.send(frame(_HEADERS, _END_HEADERS, stream, block(200)))
    while not connection.stopping.is_set():
        connection.send(frame(_DATA, 0, stream, b"x" * 16_384))


def endless_headers(connection: Connection, stream: int) -> None:
    """One header block that goes on and on."""
    connection.send(frame(_HEADERS, 0, stream, block(200)))
    for number in range(100_000):
        part = b"\x00" + _text(f"x-{number}") + _text("a" * 100)
        connection.send(frame(_CONTINUATION, 0, stream, part * 50))


def many_headers(connection: Connection, stream: int) -> None:
    """More header lines than anybody needs, in one frame."""
    headers = {f"x-{number}": "a" for number in range(1_000)}
    connection.send(frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, block(200, headers)))


def header_bomb(connection: Connection, stream: int) -> None:
    """One long header put into the table, then named again by a byte each: 16 kB on the wire are 60 MB of headers."""
    entry = b"\x40" + _text("x") + _text("a" * 4_000)
    payload = block(200) + entry + b"\xbe" * 12_000
    connection.send(frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, payload))


def endless_interim(connection: Connection, stream: int) -> None:
    """Early hints for ever, and never the answer."""
    while not connection.stopping.is_set():
        connection.send(frame(_HEADERS, _END_HEADERS, stream, block(103, {"link": "</a.css>"})) * 50)


def flood(connection: Connection, _stream: int) -> None:
    """Frames of a kind nobody knows, as fast as they go."""
    while not connection.stopping.is_set():
        connection.send(frame(0xEE, 0, 0, b"x" * 100) * 100)


def pings(connection: Connection, _stream: int) -> None:
    """Pings without waiting for an answer."""
    while not connection.stopping.is_set():
        connection.send(frame(_PING, 0, 0, b"12345678") * 100)


def refused(connection: Connection, stream: int) -> None:
    """The request is thrown back (INTERNAL_ERROR)."""
    connection.send(frame(_RST_STREAM, 0, stream, struct.pack("!I", 2)))


def goes_away(connection: Connection, _stream: int) -> None:
    """The connection is given up (PROTOCOL_ERROR)."""
    connection.send(frame(_GOAWAY, 0, 0, struct.pack("!II", 0, 1)))
    connection.reset()


def hangs_up(connection: Connection, _stream: int) -> None:
    """The connection is cut without a word."""
    connection.reset()


def speaks_http1(connection: Connection, _stream: int) -> None:
    """Agreed on HTTP/2, and forgot."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")


class Http2Server(ListeningServer):
    """Answers every request by `behaviour`. `versions` names the protocol of each request, in their order."""

    def __init__(self, tls: ssl.SSLContext, behaviour: Behaviour, *, offers: tuple[str, ...] = ("h2",)) -> None:
        tls.set_alpn_protocols([*offers, "http/1.1"])
        self.behaviour = behaviour
        self.versions: list[str] = []
        super().__init__(tls)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}{path}"

    def serve(self, connection: Connection) -> None:
        assert isinstance(connection.raw, ssl.SSLSocket)
        if connection.raw.selected_alpn_protocol() != "h2":
            connection.read_until(b"\r\n\r\n")
            self.versions.append("1.1")
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            return
        if _read(connection, len(_PREFACE)) != _PREFACE:
            return
        connection.send(frame(_SETTINGS, 0, 0))
        while head := _read(connection, 9):
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            _read(connection, length)
            if kind == _SETTINGS and not flags & _ACK:
                connection.send(frame(_SETTINGS, _ACK, 0))
            elif kind == _HEADERS:
                self.versions.append("2")
                self.behaviour(connection, int.from_bytes(head[5:9], "big"))


def _read(connection: Connection, size: int) -> bytes:
    """Exactly `size` bytes, or none when the peer closed."""
    data = b""
    while len(data) < size:
        chunk = connection.raw.recv(size - len(data))
        if not chunk:
            return b""
        data += chunk
    return data
