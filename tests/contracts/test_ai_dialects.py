"""What every AI dialect must hold, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings

from apps.core.outbound.exchange import HttpRequest
from apps.core.outbound.requests import refuse_bad_request
from apps.probes.ai.classes import class_of
from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Delta, Dialect, Reply
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.framing import Framer
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import KEY, SAMPLES, Sample, as_json, hear, said

EVERY_DIALECT = pytest.mark.parametrize("dialect", list(AI_DIALECTS), ids=lambda dialect: str(dialect.name))
PROMPT, SYSTEM = "the prompt nobody else may read", "the system prompt nobody else may read"
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
TOOL = {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA}
ASKS = (
    Ask(prompt=PROMPT),
    Ask(prompt=PROMPT, system=SYSTEM, stream=True, temperature=0.0, max_output_tokens=128),
    Ask(prompt=PROMPT, tools=(TOOL,)),
    Ask(prompt=PROMPT, json_schema=SCHEMA),
)
MODELS = ("m-1", "gpt-5.1", "gpt-5-mini", "o3", "claude-sonnet-5-5", "claude-3-haiku-20240307", "gemini-2.5-pro", "r1")
# Bodies that no honest server sends.
HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"7",
    b"\xff\xfe\x00",
    b"<html><title>502 Bad Gateway</title></html>",
    b"[" * 200_000,
    b'{"error":' * 50_000,
    b'{"choices":[null],"content":[null],"candidates":[null],"message":null,"data":[null],"models":[null]}',
    b'{"choices":{"0":1},"content":{"type":"text"},"candidates":{},"message":[],"data":{},"models":{},"usage":[]}',
    b'{"choices":[{"message":7,"delta":7,"finish_reason":{}}],"usage":{"prompt_tokens":"many"},"done":1}',
    b'{"type":["message_start"],"message":{"usage":7},"delta":[],"content_block":7}',
    b'{"error":{"message":{"a":1},"code":{"b":2},"details":[7,{"violations":7}],"metadata":7}}',
    b'{"error":[[[]]]}',
    b'{"error":true,"detail":[{"msg":7}]}',
    b'{"promptFeedback":{"blockReason":7},"usageMetadata":{"promptTokenCount":-1}}',
    b'{"a":1e999}',
    b'{"choices":[{"delta":{"content":"\\ud800"}}]}',
]


def endpoint_of(dialect: Dialect, model: str = "m-1") -> Endpoint:
    return Endpoint(dialect=dialect.name, base_url=SAMPLES[dialect.name].base_url, api_key=KEY, model=model)


def requests_of(dialect: Dialect) -> Iterator[HttpRequest]:
    for model in MODELS:
        endpoint = endpoint_of(dialect, model)
        yield dialect.models_request(endpoint)
        yield from (dialect.chat_request(endpoint, ask) for ask in ASKS)
        embedding = dialect.embedding_request(endpoint, PROMPT)
        if embedding is not None:
            yield embedding


def readings_of(dialect: Dialect) -> list[Callable[[bytes], Any]]:
    return [
        dialect.read_models,
        dialect.read_reply,
        dialect.read_embedding,
        lambda body: dialect.event_reader().read("", body),
        lambda body: dialect.event_reader().read("error", body),
    ]


def sample_of(dialect: Dialect) -> Sample:
    return SAMPLES[dialect.name]


@EVERY_DIALECT
def test_a_dialect_has_a_page_a_label_and_a_sample(dialect: Dialect) -> None:
    page = Path(settings.BASE_DIR) / "docs" / "ai" / "dialects" / f"{dialect.name}.md"
    assert page.is_file(), f"write {page}"
    assert str(dialect.label)
    assert AI_DIALECTS.get(dialect.name) is dialect
    assert dialect.name in SAMPLES


@EVERY_DIALECT
def test_a_stream_reads_the_same_wherever_it_is_cut(dialect: Dialect) -> None:
    sample = sample_of(dialect)
    stream = sample.stream
    assert hear(dialect, [stream]) == sample.heard
    for border in range(1, len(stream)):
        assert hear(dialect, [stream[:border], stream[border:]]) == sample.heard, border
    assert hear(dialect, [stream[place : place + 1] for place in range(len(stream))]) == sample.heard


@EVERY_DIALECT
def test_a_stream_cut_off_anywhere_says_no_more_than_it_had_said(dialect: Dialect) -> None:
    sample = sample_of(dialect)
    for length in range(len(sample.stream)):
        cut = hear(dialect, [sample.stream[:length]])
        assert sample.heard.text.startswith(cut.text), length
        assert sample.heard.reasoning.startswith(cut.reasoning), length
        # Its last line may be whole but for the line's end; whatever ended is as complete as the whole.
        assert not cut.ended or cut == sample.heard, length


@EVERY_DIALECT
def test_a_complete_answer_says_what_its_stream_says(dialect: Dialect) -> None:
    sample = sample_of(dialect)
    reply = dialect.read_reply(sample.reply)
    assert said(reply) == sample.heard
    assert (reply.choices, reply.model) == (1, "m")


@EVERY_DIALECT
def test_a_list_of_models_is_sorted_and_has_the_names_they_are_asked_by(dialect: Dialect) -> None:
    sample = sample_of(dialect)
    names = dialect.read_models(sample.models)
    assert names == sorted(names)
    assert sample.model in names
    assert dialect.offers(names, sample.model)


@EVERY_DIALECT
def test_the_key_goes_into_a_header_and_nowhere_else(dialect: Dialect) -> None:
    for request in requests_of(dialect):
        assert KEY not in request.url
        assert KEY not in repr(request)
        assert KEY.encode() not in (request.body or b"")
        assert any(KEY in value for value in request.headers.values())
        assert request.max_redirects == 0
        refuse_bad_request(request)


@EVERY_DIALECT
def test_what_was_asked_is_in_no_address_and_no_representation(dialect: Dialect) -> None:
    endpoint = endpoint_of(dialect)
    for ask in ASKS:
        request = dialect.chat_request(endpoint, ask)
        for shown in (repr(request), repr(ask), repr(endpoint), request.url, str(request.headers)):
            assert "nobody else" not in shown
        assert PROMPT in (request.body or b"").decode()


@EVERY_DIALECT
def test_without_a_key_no_header_speaks_of_one(dialect: Dialect) -> None:
    bare = msgspec.structs.replace(endpoint_of(dialect), api_key="")
    names = {name.lower() for name in dialect.chat_request(bare, ASKS[0]).headers}
    assert not names & {"authorization", "x-api-key", "api-key", "x-goog-api-key"}


@EVERY_DIALECT
def test_a_questions_certificate_is_checked_as_the_endpoint_says(dialect: Dialect) -> None:
    for verify in (True, False):
        endpoint = msgspec.structs.replace(endpoint_of(dialect), verify_tls=verify)
        assert dialect.models_request(endpoint).verify_tls is verify
        assert all(dialect.chat_request(endpoint, ask).verify_tls is verify for ask in ASKS)


@EVERY_DIALECT
def test_a_model_that_cannot_stop_reasoning_gets_room_for_it_and_no_other_does(dialect: Dialect) -> None:
    assert dialect.reasoning_allowance("m-1") == 0
    for model in MODELS:
        body = dialect.chat_request(endpoint_of(dialect, model), Ask(prompt="?", max_output_tokens=17)).body or b"{}"
        limit = 17 + dialect.reasoning_allowance(model)
        assert f":{limit}" in body.decode().replace(" ", ""), model


@EVERY_DIALECT
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_server_sends_is_read_or_a_bad_answer(dialect: Dialect, body: bytes) -> None:
    for read in readings_of(dialect):
        try:
            read(body)
        except BadAnswer as error:
            assert 0 < len(str(error)) < 100
    for status in (200, 204, 301, 400, 401, 402, 403, 404, 413, 429, 500, 502, 503, 529):
        reason, detail = dialect.classify(status, {"retry-after": "soon"}, body)
        assert isinstance(reason, Reason)
        assert len(detail) <= 300
        assert "\x00" not in detail
        detail.encode()
    assert dialect.retry_after({}, body) is None
    framer = Framer(dialect.framing)
    with_border = [body[:1], body[1:]]
    try:
        events = [event for part in with_border for event in framer.feed(part)] + framer.finish()
        for name, data in events:
            dialect.event_reader().read(name, data)
    except BadAnswer as error:
        assert 0 < len(str(error)) < 100


@EVERY_DIALECT
def test_every_refusal_has_a_class(dialect: Dialect) -> None:
    for status in (*range(201, 300), *range(300, 600)):
        reason, _detail = dialect.classify(status, {}, b"{}")
        assert class_of(reason) is not None, status


@EVERY_DIALECT
def test_a_good_status_with_an_error_in_it_is_a_problem(dialect: Dialect) -> None:
    error = {"error": {"message": "The server had an error", "type": "insufficient_quota"}, "type": "error"}
    told: list[Reply | Delta] = [
        dialect.read_reply(as_json(error)),
        dialect.event_reader().read("error", as_json(error)),
    ]
    for answer in told:
        assert answer.problem is Reason.QUOTA_EXHAUSTED
        assert answer.detail == "The server had an error"


@EVERY_DIALECT
def test_an_answer_without_anything_has_no_choices(dialect: Dialect) -> None:
    assert dialect.read_reply(b'{"choices":[],"content":[],"candidates":[]}').choices == 0


@EVERY_DIALECT
@pytest.mark.parametrize("absurd", [-1, 10_000_001, 1.5, "20", None, True, 10**30])
def test_a_count_that_cannot_be_believed_is_no_usage(dialect: Dialect, absurd: Any) -> None:
    stream, reply = sample_of(dialect).stream.decode(), sample_of(dialect).reply.decode()
    for counted in ("prompt_tokens", "input_tokens", "promptTokenCount", "eval_count"):
        stream = stream.replace(f'"{counted}": ', f'"{counted}": {json.dumps(absurd)}, "ignored": ')
        reply = reply.replace(f'"{counted}": ', f'"{counted}": {json.dumps(absurd)}, "ignored": ')
    assert hear(dialect, [stream.encode()]).usage is None
    assert dialect.read_reply(reply.encode()).usage is None


@EVERY_DIALECT
def test_an_embedding_is_asked_for_and_measured_where_there_are_any(dialect: Dialect) -> None:
    vector = [0.25, -1, 3e-5]
    body = {
        "data": [{"embedding": vector}],
        "embeddings": [vector],
        "embedding": {"values": vector},
        "usage": {"prompt_tokens": 5},
        "prompt_eval_count": 5,
        "usageMetadata": {"promptTokenCount": 5},
    }
    request = dialect.embedding_request(endpoint_of(dialect), "some text")
    if request is None:
        with pytest.raises(BadAnswer):
            dialect.read_embedding(as_json(body))
        return
    assert b"some text" in (request.body or b"")
    dimensions, usage = dialect.read_embedding(as_json(body))
    assert dimensions == 3
    assert usage is not None
    assert (usage.tokens_in, usage.tokens_out) == (5, 0)
