"""Clients as they meet the portal from outside: a page's socket, and a script that reads an event stream."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.live.web_process import WebProcess

Events = list[dict[str, Any]]


class Page:
    """One open page's socket. `messages` holds all batches heard so far with the moment they came."""

    def __init__(
        self, web: WebProcess, *, cookie: str = "", origin: str | None = None, path: str = "/ws/live/"
    ) -> None:
        headers = {"Cookie": cookie} if cookie else {}
        self._open = ExitStack()
        opening = connect(
            f"{web.socket_url}{path}",
            origin=Origin(origin or web.url),
            additional_headers=headers,
            open_timeout=10,
        )
        self._socket = self._open.enter_context(opening)
        self.messages: list[tuple[float, Events]] = []

    def hear(self, seconds: float = 5) -> Events:
        """The next message that is no heartbeat. Raises TimeoutError when none comes in `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            batch: Events = json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            self.messages.append((time.monotonic(), batch))
            if batch:
                return batch

    def hear_until(self, type: str, seconds: float = 5) -> Events:
        """Everything heard up to and including the first event of `type`."""
        deadline = time.monotonic() + seconds
        heard: Events = []
        while not any(event["type"] == type for event in heard):
            heard += self.hear(max(0.0, deadline - time.monotonic()))
        return heard

    def say(self, text: str) -> None:
        self._socket.send(text)

    def close_code(self, seconds: float = 5) -> int | None:
        """The code the server closes with. Raises TimeoutError when it does not."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def close(self) -> None:
        self._open.close()


class Stream:
    """One `GET /api/v1/events/`, read block by block as an EventSource would."""

    def __init__(self, web: WebProcess, *, headers: dict[str, str], query: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
        self._connection.request("GET", f"/api/v1/events/{query}", headers=headers)
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def json(self) -> Any:
        return json.loads(self.response.read())

    def block(self) -> dict[str, str]:
        """The next block's fields; a comment is under "". Raises EOFError at the end of the stream."""
        fields: dict[str, str] = {}
        while True:
            line = self.response.readline()
            if not line:
                raise EOFError
            text = line.decode().rstrip("\n")
            if not text:
                return fields
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")

    def event(self) -> dict[str, Any]:
        """The next event, past heartbeats and bare ids; checks that the frame says what the JSON says."""
        while True:
            fields = self.block()
            if "data" in fields:
                event: dict[str, Any] = json.loads(fields["data"])
                assert (event["id"], event["type"]) == (fields["id"], fields["event"])
                return event

    def close(self) -> None:
        self._connection.close()
