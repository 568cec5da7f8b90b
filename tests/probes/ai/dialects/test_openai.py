"""OpenAI: today's parameters, and as little reasoning as each model can be made to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Finish
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.openai_models import effort_of
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import KEY, OPENAI_REPLY, as_json, chunk, hear, sse

DIALECT = AI_DIALECTS.get("openai")


def body_of(ask: Ask, model: str = "gpt-4o-mini") -> dict[str, Any]:
    request = DIALECT.chat_request(Endpoint(api_key=KEY, model=model), ask)
    body: dict[str, Any] = json.loads(request.body or b"")
    return body


def usage_of(**counts: Any) -> Usage | None:
    return DIALECT.read_reply(as_json(OPENAI_REPLY | {"usage": counts})).usage


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://eu.api.openai.com/v1/models", "https://eu.api.openai.com/v1/chat/completions"),
    ],
)
def test_the_version_is_in_the_address_once(base_url: str, url: str) -> None:
    endpoint = Endpoint(base_url=base_url, api_key=KEY, model="gpt-4o-mini")
    request = DIALECT.chat_request(endpoint, Ask(prompt="?"))
    assert (request.method, request.url) == ("POST", url)
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert DIALECT.models_request(endpoint).url == url.replace("/chat/completions", "/models")


def test_a_plain_question_has_only_what_it_needs() -> None:
    assert body_of(Ask(prompt="Hi", system="Be brief")) == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "max_completion_tokens": 16,
    }


def test_a_stream_is_asked_for_its_usage() -> None:
    body = body_of(Ask(prompt="Hi", stream=True, max_output_tokens=128, temperature=0.0))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert (body["max_completion_tokens"], body["temperature"]) == (128, 0.0)


def test_tools_and_a_schema_are_wrapped_as_the_api_wants_them() -> None:
    tool, schema = {"name": "weather", "parameters": {"type": "object"}}, {"type": "object"}
    body = body_of(Ask(prompt="?", tools=(tool,), json_schema=schema))
    assert body["tools"] == [{"type": "function", "function": tool}]
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


@pytest.mark.parametrize(
    ("model", "effort", "has_room"),
    [
        ("gpt-4o-mini", None, False),
        ("gpt-4.1", None, False),
        ("gpt-3.5-turbo", None, False),
        ("chatgpt-4o-latest", None, False),
        ("gpt-5", "minimal", True),
        ("gpt-5-mini", "minimal", True),
        ("gpt-5-nano-2025-08-07", "minimal", True),
        ("gpt-5-chat-latest", "", True),
        ("gpt-5-pro", "", True),
        ("gpt-5-codex", "low", True),
        ("gpt-5.1", "none", False),
        ("gpt-5.1-2025-11-13", "none", False),
        ("gpt-5.1-codex-max", "low", True),
        ("gpt-5.1-chat-latest", "", True),
        ("gpt-5.2-pro", "", True),
        ("gpt-5.4-mini", "none", False),
        ("gpt-5.6-sol", "none", False),
        ("gpt-6", "low", True),
        ("o1", "low", True),
        ("o1-mini", "", True),
        ("o1-pro", "", True),
        ("o3-mini", "low", True),
        ("o3-deep-research", "", True),
        ("o4-mini-2025-04-16", "low", True),
        ("gpt-oss-120b", "low", True),
        ("openai/gpt-5-mini", "minimal", True),
        ("openai/gpt-oss-20b:free", "low", True),
        ("ft:gpt-4o-mini:team::id", None, False),
        ("ft:o4-mini-2025-04-16:team::id", "low", True),
        ("omni-moderation-latest", None, False),
    ],
)
def test_a_model_reasons_as_little_as_it_can(model: str, effort: str | None, has_room: bool) -> None:
    found = effort_of(model)
    assert (found.sent if found else None) == effort
    body = body_of(Ask(prompt="?", temperature=0.5), model)
    told = body.get("reasoning", {}).get("effort", "") if "input" in body else body.get("reasoning_effort", "")
    assert told == (effort or "")
    assert (body["max_output_tokens" if "input" in body else "max_completion_tokens"] > 16) is has_room
    assert ("temperature" in body) is (effort is None or "gpt-oss" in model)


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        (None, ""),
        ("", ""),
        (7, ""),
    ],
)
def test_an_answer_ends_as_it_says(said: Any, finish: Finish) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": said}
    assert DIALECT.read_reply(as_json({"choices": [choice]})).finish == finish
    assert hear(DIALECT, [sse(chunk({"content": "x"}, said))]).finish == finish


def test_a_refusal_in_place_of_an_answer_is_a_content_filter() -> None:
    reply = DIALECT.read_reply(
        as_json({"choices": [{"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"}]})
    )
    assert (reply.finish, reply.detail) == ("content_filter", "I cannot")
    assert hear(DIALECT, [sse(chunk({"refusal": "I cannot"}))]).finish == "content_filter"


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2}, Usage(tokens_in=7, tokens_out=2)),
        ({"prompt_tokens": 7.0, "completion_tokens": 2}, Usage(tokens_in=7, tokens_out=2)),
        ({"prompt_tokens": 7, "completion_tokens": 0}, Usage(tokens_in=7)),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": 7}, None),
        ({"prompt_tokens": -7, "completion_tokens": 2}, None),
        ({"prompt_tokens": 7, "completion_tokens": 10**9}, None),
        (
            {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 99}},
            Usage(tokens_in=7, tokens_out=2, tokens_cached=7),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None},
            Usage(tokens_in=7, tokens_out=2),
        ),
    ],
)
def test_usage_is_believed_or_not(counts: dict[str, Any], usage: Usage | None) -> None:
    assert usage_of(**counts) == usage


@pytest.mark.parametrize("usage", [None, [], "7", 7])
def test_usage_of_another_shape_is_none(usage: Any) -> None:
    assert DIALECT.read_reply(as_json(OPENAI_REPLY | {"usage": usage})).usage is None


def test_an_error_in_the_middle_of_a_stream_is_its_problem() -> None:
    broken = {"error": {"message": "The server had an error", "type": "server_error"}}
    heard = hear(DIALECT, [sse(chunk({"content": "O"}), broken)])
    assert (heard.text, heard.problem, heard.ended) == ("O", Reason.SERVER_ERROR, False)


@pytest.mark.parametrize(
    "event",
    [
        "{not json",
        "[]",
        {"nothing": "of it"},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "message": {"content": "whole"}, "finish_reason": "stop"}]},
    ],
)
def test_an_event_that_is_no_chunk_is_a_bad_answer(event: Any) -> None:
    with pytest.raises(BadAnswer):
        hear(DIALECT, [sse(event)])


@pytest.mark.parametrize("vector", [[], None, "not base64!", "AAA=", [1, "2"], [True], {}])
def test_an_embedding_without_numbers_is_a_bad_answer(vector: Any) -> None:
    with pytest.raises(BadAnswer):
        DIALECT.read_embedding(as_json({"data": [{"embedding": vector}]}))


def test_an_embedding_may_come_packed() -> None:
    assert DIALECT.read_embedding(as_json({"data": [{"embedding": "AAAAAAAAgD8="}]})) == (2, None)
