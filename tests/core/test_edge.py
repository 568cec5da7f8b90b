"""Bodies above the limit are refused at the edge, before the application has them, by header and by count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.core.edge import BodyLimit

LIMIT = 1_000


class Exchange:
    """One HTTP exchange with a BodyLimit around an application that echoes how much it received."""

    def __init__(self, chunks: list[bytes], *, path: str = "/api/v1/targets/", **headers: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self.waiting = [
            {"type": "http.request", "body": chunk, "more_body": position + 1 < len(chunks)}
            for position, chunk in enumerate(chunks)
        ]
        self.reached = False
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }

    async def run(self) -> Exchange:
        await BodyLimit(self.application, LIMIT)(self.scope, self.receive, self.send)
        return self

    async def application(self, _scope: Any, receive: Any, send: Any) -> None:
        self.reached = True
        received, more = 0, True
        while more:
            message = await receive()
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(received).encode()})

    async def receive(self) -> dict[str, Any]:
        return self.waiting.pop(0) if self.waiting else {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.mark.parametrize("size", [0, 1, LIMIT])
async def test_up_to_the_limit_everything_passes(size: int) -> None:
    exchange = await Exchange([b"x" * size], content_length=str(size)).run()
    assert (exchange.status, exchange.body) == (200, str(size).encode())


async def test_a_declared_length_above_it_never_reaches_the_application() -> None:
    exchange = await Exchange([b"x" * 5_000] * 3, content_length="15000").run()
    assert exchange.status == 413
    assert not exchange.reached
    assert exchange.waiting == []


async def test_a_body_without_a_length_is_counted() -> None:
    exchange = await Exchange([b"x" * 400] * 10).run()
    assert exchange.status == 413
    assert len(exchange.sent) == 2
    assert exchange.waiting == []


async def test_a_length_that_lies_is_counted_all_the_same() -> None:
    exchange = await Exchange([b"x" * 400] * 10, content_length="10").run()
    assert exchange.status == 413


async def test_the_api_answers_in_json_and_names_the_limit() -> None:
    exchange = await Exchange([b""], content_length="5000").run()
    headers = dict(exchange.sent[0]["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"connection"] == b"close"
    assert int(headers[b"content-length"]) == len(exchange.body)
    assert "MB" in json.loads(exchange.body)["detail"]


async def test_a_form_gets_a_page_in_its_language() -> None:
    exchange = await Exchange([b""], path="/login/", content_length="5000", accept_language="ko").run()
    assert exchange.status == 413
    assert dict(exchange.sent[0]["headers"])[b"content-type"].startswith(b"text/html")


async def test_sockets_pass_untouched() -> None:
    seen = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    await BodyLimit(application, LIMIT)({"type": "websocket", "path": "/ws/live/", "headers": []}, None, None)  # type: ignore[arg-type]
    assert seen == ["websocket"]
