"""Anthropic: typed events, usage in two halves, and thinking kept as small as each model allows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Finish
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.ai_dialects.anthropic import JSON_TOOL, Model, model_of
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import ANTHROPIC_REPLY, ANTHROPIC_STREAM, KEY, anthropic_delta, as_json, hear, sse

DIALECT = AI_DIALECTS.get("anthropic")
OLD = "claude-3-haiku-20240307"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def body_of(ask: Ask, model: str = OLD) -> dict[str, Any]:
    request = DIALECT.chat_request(Endpoint(api_key=KEY, model=model), ask)
    body: dict[str, Any] = json.loads(request.body or b"")
    return body


def usage_of(**counts: Any) -> Usage | None:
    return DIALECT.read_reply(as_json(ANTHROPIC_REPLY | {"usage": counts})).usage


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("", "https://api.anthropic.com"),
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("https://api.anthropic.com/", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
        ("http://127.0.0.1:4000/anthropic/v1/", "http://127.0.0.1:4000/anthropic"),
        ("http://v1", "http://v1"),
    ],
)
def test_the_version_is_in_the_address_once(base_url: str, root: str) -> None:
    endpoint = Endpoint(base_url=base_url, api_key=KEY, model=OLD)
    request = DIALECT.chat_request(endpoint, Ask(prompt="?"))
    assert request.url == f"{root}/v1/messages"
    assert DIALECT.models_request(endpoint).url == f"{root}/v1/models?limit=1000"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in request.headers


def test_a_plain_question_has_only_what_it_needs() -> None:
    assert body_of(Ask(prompt="Hi", system="Be brief", temperature=0.5)) == {
        "model": OLD,
        "max_tokens": 16,
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
        "system": "Be brief",
        "temperature": 0.5,
    }


def test_a_tool_has_its_schema_under_another_name() -> None:
    body = body_of(Ask(prompt="?", tools=({"name": "f", "description": "d", "parameters": SCHEMA}, {"name": "g"})))
    assert body["tools"] == [
        {"name": "f", "description": "d", "input_schema": SCHEMA},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude-3-haiku-20240307", Model("haiku", (3, 0))),
        ("claude-3-5-sonnet-20241022", Model("sonnet", (3, 5))),
        ("claude-opus-4-20250514", Model("opus", (4, 0))),
        ("claude-opus-4-1-20250805", Model("opus", (4, 1))),
        ("claude-haiku-4-5", Model("haiku", (4, 5))),
        ("claude-sonnet-5", Model("sonnet", (5, 0))),
        ("anthropic/claude-opus-4.7", Model("opus", (4, 7))),
        ("claude-sonnet", Model("", (0, 0))),
        ("something-else", Model("", (0, 0))),
    ],
)
def test_a_name_says_which_version_it_is(name: str, model: Model) -> None:
    assert model_of(name) == model


@pytest.mark.parametrize(
    ("model", "thinking", "effort", "takes_temperature", "has_room"),
    [
        (OLD, None, None, True, False),
        ("claude-sonnet-4-6", None, None, True, False),
        ("claude-opus-4-7", None, None, False, False),
        ("claude-opus-4-8", None, None, False, False),
        ("claude-opus-5", "disabled", "low", False, False),
        ("claude-sonnet-5", "disabled", "low", False, False),
        ("claude-haiku-5-5", "disabled", "low", False, False),
        ("claude-sonnet-5-5", "between_tools", "low", False, False),
        ("claude-opus-5-5", None, "low", False, True),
        ("claude-fable-5-1", None, "low", False, True),
        ("claude-opus-6", None, "low", False, True),
        ("my-own-name", None, None, True, False),
    ],
)
def test_a_model_thinks_as_little_as_it_can(
    model: str, thinking: str | None, effort: str | None, takes_temperature: bool, has_room: bool
) -> None:
    body = body_of(Ask(prompt="?", temperature=0.0), model)
    assert body.get("thinking", {}).get("type") == thinking
    assert body.get("output_config", {}).get("effort") == effort
    assert ("temperature" in body) is takes_temperature
    assert (body["max_tokens"] > 16) is has_room


def test_json_is_asked_for_by_structured_output_where_there_is_one() -> None:
    body = body_of(Ask(prompt="?", json_schema=SCHEMA), "claude-opus-5-5")
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert "tool_choice" not in body


def test_json_is_asked_for_by_a_tool_of_older_models_and_read_as_text() -> None:
    body = body_of(Ask(prompt="?", json_schema=SCHEMA))
    assert body["tool_choice"] == {"type": "tool", "name": JSON_TOOL}
    assert body["tools"][-1]["input_schema"] == SCHEMA
    block = {"type": "tool_use", "name": JSON_TOOL, "input": {"a": 1}}
    reply = DIALECT.read_reply(as_json({"content": [block], "stop_reason": "tool_use"}))
    assert (reply.text, reply.finish, reply.tool_calls) == ('{"a":1}', "stop", ())
    heard = hear(
        DIALECT,
        [
            sse(
                {"type": "content_block_start", "content_block": {"type": "tool_use", "name": JSON_TOOL, "input": {}}},
                anthropic_delta(type="input_json_delta", partial_json='{"a":'),
                anthropic_delta(type="input_json_delta", partial_json="1}"),
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
            )
        ],
    )
    assert (heard.text, heard.finish, heard.tool_calls) == ('{"a":1}', "stop", ())


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
        ("invented_later", "stop"),
        (None, ""),
    ],
)
def test_an_answer_ends_as_it_says(said: Any, finish: Finish) -> None:
    reply = DIALECT.read_reply(as_json({"content": [{"type": "text", "text": "x"}], "stop_reason": said}))
    assert reply.finish == finish
    assert hear(DIALECT, [sse({"type": "message_delta", "delta": {"stop_reason": said}})]).finish == finish


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"input_tokens": 6, "output_tokens": 2}, Usage(tokens_in=6, tokens_out=2)),
        (
            {"input_tokens": 6, "output_tokens": 2, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 10},
            Usage(tokens_in=106, tokens_out=2, tokens_cached=90),
        ),
        ({"input_tokens": 6, "output_tokens": 2, "cache_read_input_tokens": None}, Usage(tokens_in=6, tokens_out=2)),
        ({"input_tokens": 6, "output_tokens": 2, "cache_read_input_tokens": -5}, Usage(tokens_in=6, tokens_out=2)),
        ({"input_tokens": 6, "output_tokens": 2, "cache_read_input_tokens": 9_999_999}, None),
        ({"output_tokens": 2}, None),
        ({"input_tokens": 6}, None),
        ({}, None),
    ],
)
def test_what_was_cached_is_among_the_tokens_in(counts: dict[str, Any], usage: Usage | None) -> None:
    assert usage_of(**counts) == usage


def test_the_usage_of_a_stream_is_told_at_its_end_only() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 6, "output_tokens": 1}}}
    assert hear(DIALECT, [sse(start, anthropic_delta(type="text_delta", text="O"))]).usage is None
    end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5, "input_tokens": None}}
    assert hear(DIALECT, [sse(start, end)]).usage == Usage(tokens_in=6, tokens_out=5)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("overloaded_error", Reason.OVERLOADED),
        ("api_error", Reason.SERVER_ERROR),
        ("rate_limit_error", Reason.RATE_LIMITED),
        ("invented_later", Reason.MALFORMED_ANSWER),
    ],
)
def test_an_error_event_ends_a_stream_with_its_reason(error: str, reason: Reason) -> None:
    broken = {"type": "error", "error": {"type": error, "message": "Overwhelmed"}}
    heard = hear(DIALECT, [sse(anthropic_delta(type="text_delta", text="O"), broken, names=True)])
    assert (heard.text, heard.problem, heard.ended) == ("O", reason, False)


def test_pings_and_events_invented_later_add_nothing() -> None:
    noise = sse({"type": "ping"}, {"type": "invented_later", "delta": {"text": "no"}}, names=True)
    assert hear(DIALECT, [noise + ANTHROPIC_STREAM]) == hear(DIALECT, [ANTHROPIC_STREAM])


def test_the_name_of_an_event_counts_where_its_data_has_no_type() -> None:
    heard = hear(DIALECT, [b'event: content_block_delta\ndata: {"delta":{"text":"OK"}}\n\n'])
    assert heard.text == "OK"


@pytest.mark.parametrize("event", [{"choices": []}, [], "[DONE]", "{"])
def test_an_event_of_no_type_is_a_bad_answer(event: Any) -> None:
    with pytest.raises(BadAnswer):
        hear(DIALECT, [sse(event)])


@pytest.mark.parametrize(
    ("content", "stop_reason", "choices"),
    [([], "end_turn", 1), ([], None, 0), ([{"type": "text", "text": "x"}], None, 1), (None, "end_turn", 0)],
)
def test_an_answer_with_nothing_to_say_is_one_if_it_says_why(content: Any, stop_reason: Any, choices: int) -> None:
    assert DIALECT.read_reply(as_json({"content": content, "stop_reason": stop_reason})).choices == choices
