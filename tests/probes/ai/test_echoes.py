"""A hostile server gives back what it was sent, in every place and every disguise: none of it comes out of a look."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from apps.core.addresses import probe_policy
from apps.core.outbound.exchange import OutboundError
from apps.probes.ai.endpoint import Endpoint
from apps.probes.base import Outcome
from apps.probes.evidence import redacted
from apps.probes.kinds.ai_models import NoModelList, list_models_of
from apps.probes.runner import run_once
from tests.servers.http import Received, read_request
from tests.servers.listening import Connection, ListeningServer

KEY = "sk-pr/Oj+hunter2=Zq8&vT3%wXy9"
PROMPT = "Tell nobody that the “vault” is behind\nthe painting of the old harbour, 항구."
KINDS = ("ai_models", "ai_ping", "ai_stream", "ai_canary", "ai_embedding")
DIALECTS = ("openai", "anthropic", "gemini", "ollama", "azure")
# What is found of a secret when so much of it stands in a row.
TELLING = 13
STREAM = {"Content-Type": "text/event-stream"}


def disguises(text: str) -> list[str]:
    raw = text.encode()
    return [
        text,
        quote(text, safe=""),
        "".join(f"%{byte:02x}" for byte in raw),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(b"Bearer " + raw).decode(),
        base64.b64encode(b"x" + raw).decode().rstrip("="),
        json.dumps(text)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(letter):04X}" for letter in text),
        "".join(f"&#{ord(letter)};" for letter in text),
        html.escape(text),
        text.upper(),
    ]


def echo_of(received: Received) -> str:
    """Everything that was sent and is nobody's business, in all disguises."""
    sent = next(
        (received.headers[name] for name in ("x-api-key", "x-goog-api-key", "api-key") if name in received.headers), ""
    )
    key = sent or received.headers.get("authorization", "").removeprefix("Bearer ")
    return " ".join(disguises(key) + disguises(received.body.decode()))  # fmt: skip


Say = Callable[[str, Received], bytes]


def answer(status: str, body: str | bytes, **headers: str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("utf-8", "replace") + data


def error(text: str) -> str:
    return json.dumps({"error": {"message": text, "type": "invalid_request_error", "code": text[:60]}})


def _key(received: Received) -> str:
    return echo_of(received).split(" ", 1)[0]


def in_headers(text: str, received: Received) -> bytes:
    key, line = _key(received), text.replace("\n", " ")[:1_500]
    named = re.sub(r"[^A-Za-z0-9-]", "-", key)
    headers = {"X_Echo": line, "Location": f"http://127.0.0.1:1/{key}?q={quote(key)}#{key}", "Retry_After": key}
    more = {named: "1", f"x-ratelimit-limit-{named}": "5", "Content_Type": key, "Request_Id": disguises(key)[4]}
    return answer(f"429 {key}", "{}", **headers, **more)


def split(text: str, _received: Received) -> bytes:
    """An answer in pieces of five characters, in the words of every dialect that streams events."""
    events = []
    for start in range(0, len(text), 5):
        piece = text[start : start + 5]
        events.append(
            {
                "type": "content_block_delta", "delta": {"type": "text_delta", "text": piece},
                "choices": [{"delta": {"content": piece}}], "candidates": [{"content": {"parts": [{"text": piece}]}}],
                "message": {"content": piece}, "done": False,
            }
        )  # fmt: skip
    return answer(
        "200 OK", "".join(f"data: {json.dumps(event)}\n\n" for event in events), Content_Type="text/event-stream"
    )


def whole(text: str, _received: Received) -> bytes:
    call = {"function": {"name": text, "arguments": text}, "type": "function"}
    return answer(
        "200 OK",
        json.dumps(
            {
                "choices": [{"message": {"content": text, "tool_calls": [call]}, "finish_reason": text}],
                "content": [{"type": "text", "text": text}], "stop_reason": text, "model": text,
                "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}],
                "message": {"content": text}, "done": True, "done_reason": text,
                "data": [{"id": text}, {"id": text[:80]}],
                "models": [{"name": text}, {"name": text[:80]}],
            }
        ),
    )  # fmt: skip


PLACES: dict[str, Say] = {
    "the message of an error": lambda text, _received: answer("400 Bad", error(text)),
    "the message of an error, cut off": lambda text, _received: answer("400 Bad", error("x" * 280 + text)),
    "its message, key first": lambda text, _received: answer("401 No", error("Incorrect API key provided: " + text)),
    "an error that is plain text": lambda text, _received: answer("500 Oh", text, Content_Type="text/plain"),
    "the title of a page": lambda text, _received: answer("502 Oh", f"<html><title>{text}</title>"),
    "a body without a meaning": lambda text, _received: answer("200 OK", text),
    "an error under a good status": lambda text, _received: answer("200 OK", error(text)),
    "an event that is an error": lambda text, _received: answer(
        "200 OK", f"event: error\ndata: {error(text)}\n\n", **STREAM
    ),
    "the headers": in_headers,
    "a redirect": lambda text, received: answer("307 Go", "", Location=f"http://[::1]:1/?{_key(received)}"),
    "a redirect, encoded": lambda text, received: answer("308 Go", "", Location=f"http://a/{quote(_key(received))}"),
    "a protocol of its own": lambda text, _received: f"{text}\r\n\r\n".encode(),
    "an answer in pieces": split,
    "an answer": whole,
    "an answer, cut off": lambda text, received: whole("x" * 480 + text, received),
}  # fmt: skip


class EchoServer(ListeningServer):
    say: Say

    def serve(self, connection: Connection) -> None:
        received = read_request(connection)
        if received is not None:
            connection.send(self.say(echo_of(received), received))


@pytest.fixture(scope="module")
def server() -> Iterator[EchoServer]:
    with EchoServer() as running:
        yield running


def readings(text: str) -> Iterator[str]:
    """Whatever somebody who looks for a secret would make of a text."""
    yield text
    yield unquote(text)
    yield html.unescape(text)
    yield re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\/", "/")
    for packed in re.findall(r"[A-Za-z0-9+/_-]{16,}", text):
        for start in range(4):
            unpacked = packed[start:].replace("-", "+").replace("_", "/")
            yield base64.b64decode(unpacked[: len(unpacked) // 4 * 4]).decode("latin-1")


def traces(text: str, secret: str) -> list[str]:
    parts = {secret[start : start + TELLING].lower() for start in range(len(secret) - TELLING + 1)}
    return [read for read in readings(text) for part in parts if part in read.lower()]


def look(server: EchoServer, kind: str, dialect: str) -> Outcome:
    endpoint = {"dialect": dialect, "base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": KEY, "model": "m"}
    prompts = [{"name": "Told", "prompt": PROMPT, "expected": "x", "assertion": "tool_call"}, {"name": "B", "prompt": PROMPT, "expected": "y"}]  # fmt: skip # noqa: E501
    config: dict[str, Any] = {"endpoint": endpoint} | ({"prompts": prompts} if kind == "ai_canary" else {})
    return run_once(kind, config, 5.0, probe_policy())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_key_or_a_prompt_comes_out_of_a_look(
    server: EchoServer, kind: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.say = PLACES[place]
    for dialect in DIALECTS:
        if (kind, dialect) == ("ai_embedding", "anthropic"):
            continue
        with caplog.at_level(logging.DEBUG):
            outcome = look(server, kind, dialect)
        told = json.dumps(outcome.to_wire(), ensure_ascii=False) + outcome.sentence + caplog.text + repr(outcome)
        assert traces(told, KEY) == [], (dialect, outcome.evidence)
        assert not re.search(r"\[[0-9a-f]{12}\]|%5B[0-9a-f]{12}", told), (dialect, "a nonce", outcome.evidence)
        asked = {"ai_canary": " ".join(PROMPT.split())[:40], "ai_embedding": "quick brown fox jumps over"}
        assert asked.get(kind, "single word OK and nothing") not in told, (dialect, outcome.evidence)


@pytest.mark.parametrize("place", PLACES)
def test_a_list_asked_for_at_once_says_nothing_of_the_key_either(server: EchoServer, place: str) -> None:
    server.say = PLACES[place]
    endpoint = Endpoint(dialect="openai", base_url=f"http://127.0.0.1:{server.port}/v1", api_key=KEY)
    try:
        told = str(list_models_of(endpoint, policy=probe_policy()))
    except OutboundError as failed:
        told = str(failed.evidence)
    except NoModelList as refused:
        told = str(refused.outcome.evidence) + refused.outcome.sentence
    assert traces(told, KEY) == []


@pytest.mark.parametrize("disguise", range(len(disguises(KEY))))
@pytest.mark.parametrize("cut", [0, 1, 7])
def test_a_secret_is_known_in_every_disguise_and_when_cut_off(disguise: int, cut: int) -> None:
    echo = disguises(KEY)[disguise]
    text = f"Bad key: {echo[: len(echo) - cut]}"
    clean = redacted({"said": [text], text: "x"}, [KEY])
    assert traces(str(clean), KEY) == []
    assert "Bad key: " in clean["said"][0] or disguise == 10


def test_what_only_begins_as_many_secrets_do_is_left_alone() -> None:
    shown = {"a": "sk-pr is how it begins", "b": "100 % & more \\n", "c": "https://example.com/x"}
    assert redacted(shown, [KEY, "https://example.com/hook/7", "What is the capital of France?"]) == shown
