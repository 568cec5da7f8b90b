"""The two real servers a story needs: a target that can be broken and healed, and a receiver that keeps webhooks."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Breakable:
    """An HTTP target on loopback: 200 while `healthy`, 503 when not."""

    def __init__(self) -> None:
        self.healthy = True
        self.url = ""


class Receiver:
    """Keeps every POST it gets as (headers, raw body)."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[tuple[dict[str, str], bytes]] = []

    def of_type(self, type_: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for headers, body in self.received if json.loads(body)["type"] == type_]


@contextmanager
def breakable_target() -> Iterator[Breakable]:
    target = Breakable()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            body = json.dumps({"status": "up" if target.healthy else "down"}).encode()
            self.answer(200 if target.healthy else 503, body)

    with _serving(Handler) as url:
        target.url = url
        yield target


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.answer(200, b"{}")

    with _serving(Handler) as url:
        receiver.url = url
        yield receiver


class Slow:
    """An HTTP target that takes its time: `started` requests began, `in_flight` of them have no answer yet."""

    def __init__(self) -> None:
        self.url = ""
        self.started = 0
        self.in_flight = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def hold(self) -> None:
        """Answer nobody until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Answer whoever waits."""
        self._open.set()

    def take_time(self, seconds: float) -> None:
        """Wait as one request does."""
        with self._lock:
            self.started += 1
            self.in_flight += 1
        time.sleep(seconds)
        self._open.wait()
        with self._lock:
            self.in_flight -= 1


@contextmanager
def slow_target(seconds: float) -> Iterator[Slow]:
    target = Slow()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            target.take_time(seconds)
            self.answer(200, b"{}")

    with _serving(Handler) as url:
        target.url = url
        try:
            yield target
        finally:
            target.release()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed before it had its answer: that is what some stories are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
