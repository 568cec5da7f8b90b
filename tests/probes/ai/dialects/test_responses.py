"""The Responses API: which models are asked by it, what is sent, and how its answers and events read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Finish
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.judging import refusal
from apps.probes.ai.openai_models import needs_responses
from apps.probes.reasons import Reason
from tests.probes.ai.asked import answered
from tests.probes.ai.dialects.samples import CALL, HALVES, KEY, OPENAI_HEARD, TEXT, as_json, hear, said, sse

OPENAI, COMPATIBLE = AI_DIALECTS.get("openai"), AI_DIALECTS.get("openai_compatible")
SCHEMA = {"type": "object"}
TOOL = {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA}
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 29,
}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
CALLED = {"type": "function_call", "id": "fc_1", "name": "weather", "arguments": CALL.arguments, "status": "completed"}


def message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": list(parts)}


def answer(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": "m",
        "output": list(output),
        "usage": USAGE,
    } | more


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 7, **fields}


SPOKEN = answer(THOUGHT, message({"type": "output_text", "text": TEXT, "annotations": []}), CALLED)
BEGUN = answer(status="in_progress", usage=None)
STREAM = sse(
    event("created", response=BEGUN),
    event("in_progress", response=BEGUN),
    event("output_item.added", item={"type": "reasoning", "summary": []}),
    event("reasoning_summary_text.delta", delta="hm"),
    event("output_item.added", item=message()),
    event("content_part.added", part={"type": "output_text", "text": ""}),
    event("output_text.delta", delta=HALVES[0]),
    event("output_text.delta", delta=HALVES[1]),
    event("output_text.done", text=TEXT),
    event("output_item.added", item=CALLED | {"arguments": ""}),
    event("function_call_arguments.delta", delta='{"city":'),
    event("function_call_arguments.delta", delta='"서울"}'),
    event("function_call_arguments.done", arguments=CALL.arguments),
    event("completed", response=SPOKEN),
    names=True,
)


def request_of(ask: Ask, model: str = "o1-pro", base_url: str = "") -> tuple[str, dict[str, Any]]:
    request = OPENAI.chat_request(Endpoint(dialect="openai", base_url=base_url, api_key=KEY, model=model), ask)
    body: dict[str, Any] = json.loads(request.body or b"")
    return request.url, body


@pytest.mark.parametrize(
    ("model", "is_only"),
    [
        ("o1-pro", True),
        ("o1-pro-2025-03-19", True),
        ("o3-pro", True),
        ("gpt-5-pro", True),
        ("gpt-5.2-pro-2025-12-11", True),
        ("gpt-5-codex", True),
        ("gpt-5.1-codex-max", True),
        ("codex-mini-latest", True),
        ("o4-mini-deep-research", True),
        ("computer-use-preview", True),
        ("openai/gpt-5-pro", True),
        ("gpt-5", False),
        ("gpt-5.1", False),
        ("gpt-4o", False),
        ("o1", False),
        ("gpt-5-chat-latest", False),
        ("my-codex-clone", False),
    ],
)
def test_models_that_know_no_chat_completions_are_asked_in_the_other_way(model: str, is_only: bool) -> None:
    assert needs_responses(model) is is_only
    url, body = request_of(Ask(prompt="?"), model)
    assert url == "https://api.openai.com/v1/" + ("responses" if is_only else "chat/completions")
    assert ("input" in body, "messages" in body) == (is_only, not is_only)


@pytest.mark.parametrize("ending", ["/v1/responses", "/v1/responses/", "/v1/responses?x=1"])
def test_a_base_url_of_the_other_way_asks_every_model_so(ending: str) -> None:
    endpoint = Endpoint(dialect="openai_compatible", base_url=f"https://host.example{ending}", model="any")
    assert COMPATIBLE.chat_request(endpoint, Ask(prompt="?")).url == "https://host.example/v1/responses"
    assert COMPATIBLE.models_request(endpoint).url == "https://host.example/v1/models"


def test_what_is_sent_is_bounded_kept_by_nobody_and_thinks_little() -> None:
    ask = Ask(prompt="?", system="!", stream=True, tools=(TOOL,), json_schema=SCHEMA, temperature=0.0)
    _url, body = request_of(ask, "gpt-5.1-codex")
    assert body == {
        "model": "gpt-5.1-codex",
        "input": "?",
        "instructions": "!",
        "max_output_tokens": 528,
        "reasoning": {"effort": "low"},
        "store": False,
        "stream": True,
        "tools": [{"type": "function", "strict": False, **TOOL}],
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": False}},
    }
    _url, plain = request_of(Ask(prompt="?", max_output_tokens=1, temperature=0.0), "gpt-4o", "https://h/v1/responses")
    assert (plain["max_output_tokens"], plain["temperature"], "reasoning" in plain) == (16, 0.0, False)


@pytest.mark.parametrize("size", [1, 7, len(STREAM)])
def test_a_stream_and_a_whole_answer_say_the_same(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    for dialect in (OPENAI, COMPATIBLE):
        assert hear(dialect, chunks) == OPENAI_HEARD == said(dialect.read_reply(as_json(SPOKEN)))


@pytest.mark.parametrize(
    ("ended", "finish", "problem"),
    [
        (answer(status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length", None),
        (answer(status="incomplete", incomplete_details={"reason": "content_filter"}), "content_filter", None),
        (answer(status="incomplete", incomplete_details={"reason": "of_a_new_sort"}), "error", Reason.MALFORMED_ANSWER),
        (answer(status="incomplete"), "length", None),
        (answer(status="failed", error={"code": "server_error", "message": "Oh."}), "error", Reason.SERVER_ERROR),
        (answer(status="failed", error={"code": "rate_limit_exceeded", "message": "."}), "error", Reason.RATE_LIMITED),
        (answer(status="failed", error={"code": "insufficient_quota"}), "error", Reason.QUOTA_EXHAUSTED),
        (answer(status="failed"), "error", Reason.MALFORMED_ANSWER),
        (answer(status="cancelled"), "error", Reason.MALFORMED_ANSWER),
        (answer(message({"type": "refusal", "refusal": "I cannot."})), "content_filter", None),
        (answer(message({"type": "output_text", "text": "OK"}), usage=None), "stop", None),
    ],
)
def test_every_way_to_end_is_understood(ended: dict[str, Any], finish: Finish, problem: Reason | None) -> None:
    reply = OPENAI.read_reply(as_json(ended))
    assert reply.problem is problem
    assert problem not in (None, Reason.MALFORMED_ANSWER) or reply.finish == finish
    kind = ended["status"] if ended["status"] in ("completed", "incomplete", "failed") else "failed"
    refused = [event("refusal.delta", delta="I cannot.")] if "refusal" in json.dumps(ended) else []
    stream = sse(event("created", response=BEGUN), *refused, event(kind, response=ended), names=True)
    heard = hear(OPENAI, [stream])
    assert (heard.finish, heard.problem, heard.ended) == (finish, problem, True)


def test_an_error_in_the_middle_is_what_it_says() -> None:
    begun = event("output_text.delta", delta="O")
    error = {"type": "error", "code": "server_is_overloaded", "message": "Too much.", "param": None}
    for stream in (sse(begun, error, names=True), sse(begun, {"type": "error", "error": error}), sse(error)):
        assert hear(OPENAI, [stream]).problem is Reason.OVERLOADED


def test_nothing_said_is_no_choice_and_a_whole_answer_is_no_stream() -> None:
    assert OPENAI.read_reply(as_json(answer())).choices == 0
    for body in (as_json(SPOKEN), sse(SPOKEN)):
        with pytest.raises(BadAnswer, match="a whole answer"):
            hear(OPENAI, [body])


def test_words_of_a_chat_that_look_like_events_are_words() -> None:
    told = '{"object": "response", "type": "response.created"}'
    chat = {"object": "chat.completion", "choices": [{"message": {"content": told}, "finish_reason": "stop"}]}
    assert OPENAI.read_reply(as_json(chat)).text == told


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
        (404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
        (400, "Unsupported legacy protocol: /v1/chat/completions is not supported. Please use /v1/responses."),
        (400, "The chatCompletion operation does not work with the specified model, gpt-5-codex."),
    ],
)
def test_a_model_that_is_asked_in_another_way_says_what_to_do(status: int, text: str) -> None:
    endpoint = Endpoint(dialect="openai", base_url="https://host", model="of-tomorrow")
    body = as_json({"error": {"message": text, "type": "invalid_request_error", "param": "model", "code": None}})
    outcome = refusal(endpoint, answered(status, body=body))
    assert outcome is not None
    assert outcome.reason is Reason.BAD_REQUEST
    assert "put /responses at the end of its base URL" in outcome.sentence
    assert f"“{text.rstrip('.')}”" in outcome.sentence
