"""Answers of odd shapes on the wire: what is right all the same is good, what is not has its class; all is bounded."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.addresses import probe_policy
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.runner import run_once
from tests.probes.ai.asked import CLOCKS, KEY
from tests.probes.ai.dialects.samples import chunk, sse
from tests.servers.http import Received, read_request
from tests.servers.listening import Connection, ListeningServer
from tests.servers.model_server import BASE_PATHS, ModelServer

TEXT = "OK 항구 🙂"
USAGE = {"prompt_tokens": 20, "completion_tokens": 9}
EVENTS = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "OK 항"}),
    chunk({"content": "구 🙂"}),
    chunk({}, "stop"),
    chunk(None, usage=USAGE),
    "[DONE]",
)
GOOD = sse(*EVENTS)
WHOLE = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": USAGE}
SSE, JSON = "text/event-stream", "application/json"
Say = Callable[[Connection, Received], None]


class RawServer(ListeningServer):
    say: Say
    asked: list[Received]

    def serve(self, connection: Connection) -> None:
        received = read_request(connection)
        if received is not None:
            self.asked.append(received)
            self.say(connection, received)


@pytest.fixture(scope="module")
def running() -> Iterator[RawServer]:
    with RawServer() as server:
        server.asked = []
        yield server


@pytest.fixture
def server(running: RawServer) -> RawServer:
    running.asked = []
    return running


def head(status: str = "HTTP/1.1 200 OK", content_type: str = SSE, **more: str) -> bytes:
    lines = ({"Content-Type": content_type} if content_type else {}) | {k.replace("_", "-"): v for k, v in more.items()}
    return (
        f"{status}\r\n{''.join(f'{name}: {value}' + chr(13) + chr(10) for name, value in lines.items())}\r\n".encode()
    )


def closing(body: bytes, **lines: str) -> bytes:
    return head(Connection="close", **lines) + body


def sized(body: bytes, size: int | None = None, **lines: str) -> bytes:
    return head(Content_Length=str(len(body) if size is None else size), **lines) + body


def in_chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return head(Transfer_Encoding="chunked") + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def saying(answer: bytes, size: int = 0) -> Say:
    def say(connection: Connection, _received: Received) -> None:
        for start in range(0, len(answer), size or len(answer)):
            connection.send(answer[start : start + (size or len(answer))])

    return say


def look(server: RawServer, kind: str, seconds: float = 5.0, **config: Any) -> Outcome:
    endpoint = {"dialect": "openai", "base_url": f"http://127.0.0.1:{server.port}/v1", "api_key": KEY, "model": "m"}
    return run_once(kind, {**config, "endpoint": endpoint}, seconds, probe_policy())


MULTILINE = b"".join(
    b"data: " + json.dumps(event, indent=1, ensure_ascii=False).encode().replace(b"\n", b"\ndata: ") + b"\n\n"
    for event in EVENTS[:-1]
)
GOOD_STREAMS: dict[str, Say] = {
    "HTTP/1.0, ended by closing": saying(head("HTTP/1.0 200 OK") + GOOD),
    "HTTP/1.1, ended by closing": saying(closing(GOOD)),
    "early hints before it": saying(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" + sized(GOOD)),
    "two informational answers before it": saying(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n" + sized(GOOD)
    ),
    "a byte order mark": saying(sized(b"\xef\xbb\xbf" + GOOD)),
    "CR LF": saying(sized(GOOD.replace(b"\n", b"\r\n"))),
    "CR alone": saying(sized(GOOD.replace(b"\n", b"\r"))),
    "data of many lines": saying(sized(MULTILINE)),
    "a byte at a time": saying(sized(GOOD), 1),
    "chunks that end within characters": saying(in_chunks(*(GOOD[i : i + 3] for i in range(0, len(GOOD), 3)))),
    "gzip": saying(sized(gzip.compress(GOOD), Content_Encoding="gzip")),
    "gzip, a byte at a time": saying(sized(gzip.compress(GOOD), Content_Encoding="gzip"), 1),
    "no empty line at its end": saying(sized(GOOD.rstrip(b"\n"))),
    "comments between": saying(sized(GOOD.replace(b"\n\n", b"\n\n: on\nid: 7\nretry: 9\n\n"))),
    "no mark of its end but a finish": saying(sized(sse(*EVENTS[:-1]))),
    "its mark, then never an end": saying(in_chunks(GOOD, end=b"")),
    "a plain content type": saying(sized(GOOD, content_type="text/plain")),
    "a wrong content type": saying(sized(GOOD, content_type="application/octet-stream")),
    "no content type": saying(sized(GOOD, content_type="")),
}


@pytest.mark.parametrize("shape", GOOD_STREAMS)
def test_a_stream_of_an_odd_shape_is_still_one(server: RawServer, shape: str) -> None:
    server.say = GOOD_STREAMS[shape]
    outcome = look(server, "ai_stream")
    assert outcome.state is OutcomeState.OK, outcome.evidence
    assert (outcome.evidence["answer"], outcome.measurements["tokens_out"]) == (TEXT, 9)


ERROR = sse({"error": {"message": "Boom", "type": "server_error"}})
PART = sse(*EVENTS[:3])
# (what a server says, what a stream of it is, what a ping of it is)
BAD: dict[str, tuple[Say, Reason, Reason]] = {
    "nothing": (saying(sized(b"")), Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER),
    "no content": (saying(head("HTTP/1.1 204 Gone")), Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER),
    "fewer bytes than promised": (saying(sized(PART, 9_999)), Reason.TRUNCATED, Reason.CONNECTION_RESET),
    "chunks without an end": (saying(in_chunks(PART, end=b"")), Reason.TRUNCATED, Reason.CONNECTION_RESET),
    "an end in the middle": (saying(in_chunks(PART)), Reason.TRUNCATED, Reason.MALFORMED_ANSWER),
    "an event without an end": (saying(closing(PART + b'data: {"cho')), Reason.TRUNCATED, Reason.MALFORMED_ANSWER),
    "gzip that breaks off": (
        saying(closing(gzip.compress(GOOD * 9)[:-20], Content_Encoding="gzip")), Reason.OK, Reason.MALFORMED_ANSWER,
    ),
    "gzip that is none": (
        saying(sized(GOOD, Content_Encoding="gzip")), Reason.PROTOCOL_ERROR, Reason.PROTOCOL_ERROR,
    ),
    "an event that is an error": (saying(sized(ERROR)), Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER),
    "an error after tokens": (saying(sized(PART + ERROR)), Reason.SERVER_ERROR, Reason.MALFORMED_ANSWER),
    "one event of garbage": (
        saying(sized(PART + b"data: {]\n\n" + GOOD)), Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER,
    ),
    "an error that is a word": (
        saying(sized(b'{"error": "boom"}', content_type=JSON)), Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER,
    ),
    "a limit inside a good answer": (
        saying(sized(b'{"error": {"message": "Slow down", "code": 429}}', content_type=JSON)),
        Reason.RATE_LIMITED, Reason.RATE_LIMITED,
    ),
    "thoughts that nobody hears, up to our limit": (
        saying(sized(sse(chunk({"content": ""}), chunk({}, "length"), chunk(None, usage=USAGE), "[DONE]"))),
        Reason.LENGTH_REACHED, Reason.MALFORMED_ANSWER,
    ),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), Reason.PROTOCOL_ERROR, Reason.PROTOCOL_ERROR),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["ai_stream", "ai_ping"])
@pytest.mark.parametrize("shape", BAD)
def test_what_is_wrong_has_its_reason_and_a_sentence(server: RawServer, shape: str, kind: str) -> None:
    server.say, of_a_stream, of_a_ping = BAD[shape]
    outcome = look(server, kind)
    assert outcome.reason is (of_a_stream if kind == "ai_stream" else of_a_ping), outcome.evidence
    assert outcome.sentence not in ("", str(outcome.reason.label))
    if outcome.reason is Reason.MALFORMED_ANSWER:
        assert outcome.evidence["detail_code"], "nobody can say it in another language"


@pytest.mark.parametrize(
    "usage",
    [None, [], 7, {}, {"prompt_tokens": "many", "completion_tokens": "9"},
     {"prompt_tokens": -1, "completion_tokens": 9},
     {"prompt_tokens": 20, "completion_tokens": 1e18}, {"prompt_tokens": 10**30, "completion_tokens": 9},
     {"prompt_tokens": 20.5, "completion_tokens": True}, {"prompt_tokens": None, "completion_tokens": None}],
    ids=repr,
)  # fmt: skip
def test_a_usage_nobody_can_believe_is_estimated(server: RawServer, usage: Any) -> None:
    server.say = saying(sized(json.dumps(WHOLE | {"usage": usage}).encode(), content_type=JSON))
    ping = look(server, "ai_ping")
    server.say = saying(sized(sse(*EVENTS[:4], chunk(None, usage=usage), "[DONE]")))
    stream = look(server, "ai_stream")
    for outcome in (ping, stream):
        assert outcome.state is OutcomeState.OK
        assert outcome.measurements["usage_estimated"] == 1
        assert 0 < outcome.measurements["tokens_in"] < 200
        assert 0 < outcome.measurements["tokens_out"] < 50


def forever(piece: bytes, begin: bytes = b"", pause: float = 0.0) -> Say:
    def say(connection: Connection, _received: Received) -> None:
        connection.send(head(Connection="close") + begin)
        while not connection.stopping.wait(pause):
            connection.send(piece)

    return say


def informing(connection: Connection, _received: Received) -> None:
    while not connection.stopping.is_set():
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@pytest.mark.parametrize(
    ("say", "reasons"),
    [
        (forever(b"x" * 9_000, b"data: "), {Reason.MALFORMED_ANSWER}),
        (forever(b"x", b"data: ", 0.02), {Reason.FIRST_TOKEN_TIMEOUT}),
        (forever(b": on\n\n", b"", 0.02), {Reason.FIRST_TOKEN_TIMEOUT}),
        (forever(b": on\n\n" * 2_000), {Reason.MALFORMED_ANSWER, Reason.FIRST_TOKEN_TIMEOUT}),
        (forever(b"data:\n" * 2_000), {Reason.MALFORMED_ANSWER}),
        (forever(sse(chunk({"content": "on "}))), {Reason.OK}),
        (
            forever(sse(chunk({"content": ""}), chunk({"role": "assistant"}))),
            {Reason.MALFORMED_ANSWER, Reason.FIRST_TOKEN_TIMEOUT},
        ),
        (informing, {Reason.PROTOCOL_ERROR, Reason.FIRST_TOKEN_TIMEOUT}),
    ],
    ids=["a line", "a slow line", "comments", "a flood of comments", "lines of data", "words", "nothing", "hints"],
)
def test_what_never_ends_is_ended(server: RawServer, say: Say, reasons: set[Reason]) -> None:
    server.say, began = say, time.monotonic()
    outcome = look(server, "ai_stream", **CLOCKS)
    assert outcome.reason in reasons, outcome.evidence
    assert time.monotonic() - began < 5
    assert len(json.dumps(outcome.to_wire())) < 20_000


def test_an_answer_without_an_end_is_too_large(server: RawServer) -> None:
    server.say = forever(b"x" * 9_000)
    for kind in ("ai_ping", "ai_embedding", "ai_models"):
        assert look(server, kind).reason is Reason.BODY_TOO_LARGE


@pytest.mark.parametrize("kind", ["ai_ping", "ai_stream", "ai_embedding", "ai_models"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_key_follows_no_redirect(server: RawServer, kind: str, status: int) -> None:
    with RawServer() as other:
        other.asked, other.say = [], saying(sized(GOOD))
        location = f"http://127.0.0.1:{other.port}/v1/chat/completions"
        server.say = saying(head(f"HTTP/1.1 {status} Go", Location=location, Content_Length="0"))
        outcome = look(server, kind)
        assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.STATUS_MISMATCH)
        assert (len(server.asked), other.asked) == (1, [])


PASTED = {
    "openai": ("", "/", "/v1", "/v1/", "/v1/chat/completions", "/v1/chat/completions/", "/v1/models", "/v1?x=1#y"),
    "openai_compatible": ("", "/v1/", "/v1/chat/completions", "/v1/embeddings", "/v1/responses"),
    "anthropic": ("", "/", "/v1", "/v1/messages", "/v1/messages?beta=true", "/v1/models"),
    "gemini": ("", "/", "/v1beta", "/v1beta/models", "/v1beta/openai"),
    "ollama": ("", "/", "/api", "/api/chat", "/v1", "/v1/chat/completions"),
    "azure": ("", "/", "/openai", "?api-version=2024-10-21", "/openai/v1", "/openai/v1/", "/openai/v1/chat/completions",
              "/openai/deployments/m/chat/completions?api-version=2024-06-01"),
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.mark.parametrize(("dialect", "pasted"), [(name, end) for name, ends in PASTED.items() for end in ends])
def test_a_base_url_is_understood_however_it_was_pasted(models: ModelServer, dialect: str, pasted: str) -> None:
    root = models.base_url(dialect).removesuffix(BASE_PATHS[dialect])
    endpoint = {"dialect": dialect, "base_url": root + pasted, "api_key": KEY, "model": "model-a"}
    for kind in ("ai_ping", "ai_stream", "ai_models"):
        outcome = run_once(kind, {"endpoint": endpoint}, 5.0, probe_policy())
        assert outcome.state is OutcomeState.OK, (kind, outcome.evidence)
