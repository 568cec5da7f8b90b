"""Servers that speak OpenAI's protocol in their own way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import OPENAI_REPLY, as_json, chunk, hear, sse

DIALECT = AI_DIALECTS.get("openai_compatible")


def body_of(ask: Ask, model: str = "qwen3") -> dict[str, Any]:
    request = DIALECT.chat_request(Endpoint(base_url="http://127.0.0.1:8000", model=model), ask)
    body: dict[str, Any] = json.loads(request.body or b"")
    return body


def usage_of(**counts: Any) -> Usage | None:
    return DIALECT.read_reply(as_json(OPENAI_REPLY | {"usage": counts})).usage


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://api.groq.com/openai/v1/models", "https://api.groq.com/openai/v1/chat/completions"),
        ("https://host/gateway", "https://host/gateway/chat/completions"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai/chat/completions"),
        ("https://api.perplexity.ai", "https://api.perplexity.ai/chat/completions"),
        ("https://host/v1?key=1#part", "https://host/v1/chat/completions"),
    ],
)
def test_a_version_is_added_where_no_path_says_anything(base_url: str, url: str) -> None:
    endpoint = Endpoint(base_url=base_url, model="m")
    assert DIALECT.chat_request(endpoint, Ask(prompt="?")).url == url
    assert DIALECT.models_request(endpoint).url == url.replace("/chat/completions", "/models")


def test_the_old_name_of_the_token_limit_is_used_and_nothing_only_openai_has() -> None:
    assert body_of(Ask(prompt="Hi")) == {
        "model": "qwen3",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 16,
    }


@pytest.mark.parametrize(
    ("model", "has_room"),
    [
        ("deepseek-reasoner", True),
        ("deepseek/deepseek-r1", True),
        ("deepseek-r1:8b", True),
        ("qwq", True),
        ("kimi-k2-thinking", True),
        ("openai/gpt-oss-20b", True),
        ("llama-3.3-70b", False),
        ("star1-chat", False),
    ],
)
def test_a_model_that_thinks_by_its_name_gets_room_for_it(model: str, has_room: bool) -> None:
    assert (DIALECT.reasoning_allowance(model) > 0) is has_room


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_has_two_names(field: str) -> None:
    heard = hear(DIALECT, [sse(chunk({field: "hm"}), chunk({"content": "OK"}, "stop"), "[DONE]")])
    assert (heard.reasoning, heard.text) == ("hm", "OK")
    reply = DIALECT.read_reply(as_json({"choices": [{"message": {field: "hm", "content": "OK"}}]}))
    assert (reply.reasoning, reply.text) == ("hm", "OK")


def test_content_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "O"}, {"type": "image"}, {"type": "text", "text": "K"}]
    assert DIALECT.read_reply(as_json({"choices": [{"message": {"content": parts}}]})).text == "OK"


def test_a_stream_without_its_end_mark_still_said_why_it_stopped() -> None:
    heard = hear(DIALECT, [sse(chunk({"content": "OK"}, "stop"))])
    assert (heard.finish, heard.ended) == ("stop", False)


def test_the_end_mark_may_lack_its_empty_line_and_usage_may_come_with_every_chunk() -> None:
    counts = [{"prompt_tokens": 5, "completion_tokens": number} for number in (1, 2)]
    stream = sse(*(chunk({"content": "x"}, usage=count) for count in counts)) + b"data: [DONE]"
    heard = hear(DIALECT, [stream])
    assert heard.ended
    assert heard.usage == Usage(tokens_in=5, tokens_out=2)


@pytest.mark.parametrize(
    ("said", "finish", "problem"),
    [
        ("eos", "stop", None),
        ("STOP", "stop", None),
        ("model_length", "length", None),
        ("max_tokens", "length", None),
        ("insufficient_system_resource", "error", Reason.OVERLOADED),
        ("abort", "error", Reason.MALFORMED_ANSWER),
        ("error", "error", Reason.MALFORMED_ANSWER),
    ],
)
def test_the_words_of_others_for_an_end_are_known(said: str, finish: str, problem: Reason | None) -> None:
    heard = hear(DIALECT, [sse(chunk({"content": "x"}, said))])
    assert (heard.finish, heard.problem) == (finish, problem)
    reply = DIALECT.read_reply(as_json({"choices": [{"message": {"content": "x"}, "finish_reason": said}]}))
    assert (reply.finish, reply.problem) == (finish, problem)


@pytest.mark.parametrize(
    ("counts", "out"),
    [
        # Among the tokens out, as OpenAI counts them
        ({"completion_tokens": 50, "total_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 40}}, 50),
        ({"completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 40}}, 50),
        # Apart from them: the total tells, or there is more reasoning than there are tokens
        ({"completion_tokens": 10, "total_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 40}}, 50),
        ({"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 40}}, 50),
    ],
)
def test_reasoning_is_among_the_tokens_out_however_it_is_counted(counts: dict[str, Any], out: int) -> None:
    assert usage_of(prompt_tokens=10, **counts) == Usage(tokens_in=10, tokens_out=out, tokens_reasoning=40)


def test_cached_tokens_have_another_name_at_deepseek() -> None:
    usage = usage_of(prompt_tokens=10, completion_tokens=1, prompt_cache_hit_tokens=8)
    assert usage == Usage(tokens_in=10, tokens_out=1, tokens_cached=8)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"data": [{"id": "b"}, {"id": "a"}, {"id": "a"}]}', ["a", "b"]),
        (b'[{"id": "a"}]', ["a"]),
        (b'{"models": [{"name": "a"}]}', ["a"]),
        (b'["a", "b"]', ["a", "b"]),
        (b'{"data": []}', []),
        (b'{"data": [{"id": 7}, null, {"id": ""}]}', []),
    ],
)
def test_a_list_of_models_comes_in_a_few_shapes(body: bytes, names: list[str]) -> None:
    assert DIALECT.read_models(body) == names


def test_arguments_of_a_call_may_be_an_object() -> None:
    message = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
    (call,) = DIALECT.read_reply(as_json({"choices": [{"message": message}]})).tool_calls
    assert (call.name, call.arguments) == ("f", '{"a":1}')


def test_two_calls_in_one_stream_are_told_apart() -> None:
    def piece(index: int, **function: str) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": index, "function": function}]})

    stream = sse(
        piece(0, name="a", arguments="{"), piece(0, arguments="}"), piece(1, name="b"), piece(1, arguments="[]")
    )
    assert [(call.name, call.arguments) for call in hear(DIALECT, [stream]).tool_calls] == [("a", "{}"), ("b", "[]")]
