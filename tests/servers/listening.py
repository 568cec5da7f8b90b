"""A listening socket with a thread a connection: the base of every server here."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

# SO_TIMESTAMPNS, which the module has no name for; Linux only.
_STAMP = 35 if sys.platform == "linux" else 0


class Connection:
    """One accepted connection, with the few things a misbehaving server does to it."""

    def __init__(self, raw: socket.socket, stopping: threading.Event) -> None:
        self.raw = raw
        self.stopping = stopping

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    def read_until(self, end: bytes, limit: int = 1_000_000) -> bytes:
        """Bytes up to and with `end`, or what came before the peer closed."""
        data = b""
        while end not in data and len(data) < limit:
            chunk = self.raw.recv(65_536)
            if not chunk:
                break
            data += chunk
        return data

    def arrived_at(self) -> float:
        """The monotonic moment at which the bytes to be read next arrived, waiting for them. By the kernel's own stamp
        where there is one: a thread that was made for the connection is later than that by as much as others compute.
        """
        if isinstance(self.raw, ssl.SSLSocket) or not _STAMP:
            return time.monotonic()
        _data, stamps, _flags, _address = self.raw.recvmsg(1, 256, socket.MSG_PEEK)
        now, wall = time.monotonic(), time.time()
        for _level, kind, stamp in stamps:
            if kind == _STAMP:
                seconds, nanoseconds = struct.unpack("qq", stamp[:16])
                # An adjusted clock in between: then the stamp says nothing.
                ago = wall - seconds - nanoseconds / 1e9
                return now - ago if 0 <= ago < 5 else now
        return now

    def hold(self, seconds: float = 60.0) -> None:
        """Do nothing until the server stops or the time is over."""
        if seconds > 0:
            self.stopping.wait(seconds)

    def reset(self) -> None:
        """Close with a TCP reset instead of a goodbye."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()


class ListeningServer:
    """Accepts on a free port of 127.0.0.1 (or the one told) and runs `serve` for each connection in its own thread.

    Use it as a context manager. `connections` counts what was accepted; `refuse()` stops listening, `listen()` goes on
    at the same port.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._tls = tls
        self._stopping = threading.Event()
        self.connections = 0
        self.port = port
        self._listener: socket.socket | None = None
        self.listen()

    def listen(self) -> None:
        """Start, or start again at the same port."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = listener.getsockname()[1]
        if _STAMP:
            # What is accepted inherits it, so nothing arrives unstamped.
            listener.setsockopt(socket.SOL_SOCKET, _STAMP, 1)
        self._listener = listener
        self._run(self._accept, listener)

    def refuse(self) -> None:
        """Stop listening: connections are refused from now on."""
        if self._listener is not None:
            # A blocked accept() keeps a closed socket alive; shutting it down wakes it first.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def serve(self, connection: Connection) -> None:
        """Overridden: what happens on one connection. Errors of the socket end it quietly."""
        raise NotImplementedError

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                raw, _peer = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._run(self._converse, raw)

    def _converse(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), _closing(raw):
            stream = self._tls.wrap_socket(raw, server_side=True) if self._tls else raw
            with _closing(stream):
                self.serve(Connection(stream, self._stopping))

    def close(self) -> None:
        self._stopping.set()
        self.refuse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SpeakingServer(ListeningServer):
    """Says something to whoever connects, then answers every line with `reply` (None: holds its tongue)."""

    def __init__(self, greeting: bytes = b"", reply: bytes | None = None) -> None:
        self._greeting = greeting
        self._reply = reply
        self.heard: list[bytes] = []
        super().__init__()

    def serve(self, connection: Connection) -> None:
        if self._greeting:
            connection.send(self._greeting)
        while line := connection.read_until(b"\n"):
            self.heard.append(line)
            if self._reply is None:
                connection.hold()
            else:
                connection.send(self._reply)


@contextlib.contextmanager
def _closing(stream: socket.socket) -> Iterator[None]:
    try:
        yield
    finally:
        stream.close()


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
