"""Gemini: the key in a header, thoughts counted apart, blocked prompts, and streams of two framings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Finish
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.ai_dialects.gemini import thinking_of
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import GEMINI_ARRAY, KEY, SAMPLES, as_json, candidate, hear, sse

DIALECT = AI_DIALECTS.get("gemini")
BASE = "https://generativelanguage.googleapis.com/v1beta"


def endpoint(model: str = "gemini-2.0-flash", base_url: str = "") -> Endpoint:
    return Endpoint(dialect="gemini", base_url=base_url, api_key=KEY, model=model)


def body_of(ask: Ask, model: str = "gemini-2.0-flash") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(DIALECT.chat_request(endpoint(model), ask).body or b"")
    return body


def usage_of(**counts: Any) -> Usage | None:
    return DIALECT.read_reply(as_json(candidate({"text": "x"}, finish="STOP", usageMetadata=counts))).usage


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("", BASE),
        ("https://generativelanguage.googleapis.com", BASE),
        ("https://generativelanguage.googleapis.com/", BASE),
        (BASE, BASE),
        (f"{BASE}/models", BASE),
        (f"{BASE}/openai/", BASE),
        ("https://generativelanguage.googleapis.com/v1", "https://generativelanguage.googleapis.com/v1"),
        ("https://host/gateway/gemini", "https://host/gateway/gemini"),
    ],
)
def test_the_version_is_in_the_address_once(base_url: str, root: str) -> None:
    request = DIALECT.chat_request(endpoint(base_url=base_url), Ask(prompt="?"))
    assert request.url == f"{root}/models/gemini-2.0-flash:generateContent"
    assert DIALECT.models_request(endpoint(base_url=base_url)).url == f"{root}/models?pageSize=1000"
    assert request.headers["x-goog-api-key"] == KEY


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.0-flash", "models/gemini-2.0-flash"),
        ("models/gemini-2.0-flash", "models/gemini-2.0-flash"),
        ("tunedModels/mine-7", "tunedModels/mine-7"),
        ("../../evil?key=1#x", "models/..%2F..%2Fevil%3Fkey%3D1%23x"),
        ("..", "models/%2E%2E"),
    ],
)
def test_a_models_name_is_one_step_of_the_path(model: str, path: str) -> None:
    assert DIALECT.chat_request(endpoint(model), Ask(prompt="?")).url == f"{BASE}/{path}:generateContent"


def test_a_stream_is_asked_for_as_events() -> None:
    url = DIALECT.chat_request(endpoint(), Ask(prompt="?", stream=True)).url
    assert url == f"{BASE}/models/gemini-2.0-flash:streamGenerateContent?alt=sse"


def test_a_question_has_all_its_parts_in_their_places() -> None:
    schema = {"type": "object", "additionalProperties": False}
    tool = {"name": "f", "description": "d", "parameters": schema}
    ask = Ask(prompt="Hi", system="Be brief", temperature=0.0, tools=(tool, {"name": "g"}), json_schema=schema)
    assert body_of(ask) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief"}]},
        "generationConfig": {
            "maxOutputTokens": 16,
            "temperature": 0.0,
            "responseMimeType": "application/json",
            "responseJsonSchema": schema,
        },
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "f", "description": "d", "parametersJsonSchema": schema},
                    {"name": "g"},
                ]
            }
        ],
    }


@pytest.mark.parametrize(
    ("model", "config", "has_room"),
    [
        ("gemini-2.0-flash", {}, False),
        ("gemini-1.5-pro", {}, False),
        ("gemini-2.5-flash", {"thinkingBudget": 0}, False),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 0}, False),
        ("models/gemini-2.5-pro", {"thinkingBudget": 128}, True),
        ("gemini-2.5-flash-image", {}, False),
        ("gemini-2.5-flash-preview-tts", {}, False),
        ("gemini-3-pro-preview", {"thinkingLevel": "low"}, True),
        ("gemini-3.1-pro-preview", {"thinkingLevel": "low"}, True),
        ("gemini-3-flash-preview", {"thinkingLevel": "minimal"}, True),
        ("gemini-3.5-flash-lite", {"thinkingLevel": "minimal"}, True),
        ("gemini-3.6-flash", {"thinkingLevel": "minimal"}, True),
        ("gemini-3.7-flash", {"thinkingLevel": "low"}, True),
        ("gemini-3.8-flash-lite", {"thinkingLevel": "minimal"}, True),
        ("gemini-flash-latest", {"thinkingLevel": "low"}, True),
        ("gemini-embedding-001", {}, False),
        ("gemma-3-27b-it", {}, False),
    ],
)
def test_a_model_thinks_as_little_as_it_can(model: str, config: dict[str, Any], has_room: bool) -> None:
    assert thinking_of(model).config == config
    generation = body_of(Ask(prompt="?"), model)["generationConfig"]
    assert generation.get("thinkingConfig", {}) == config
    assert (generation["maxOutputTokens"] > 16) is has_room


def test_a_stream_may_come_as_one_json_array() -> None:
    expected = SAMPLES["gemini"].heard
    assert hear(DIALECT, [GEMINI_ARRAY]) == expected
    for border in range(1, len(GEMINI_ARRAY)):
        assert hear(DIALECT, [GEMINI_ARRAY[:border], GEMINI_ARRAY[border:]]) == expected, border


@pytest.mark.parametrize(
    ("said", "finish", "problem"),
    [
        ("STOP", "stop", None),
        ("MAX_TOKENS", "length", None),
        ("SAFETY", "content_filter", None),
        ("RECITATION", "content_filter", None),
        ("PROHIBITED_CONTENT", "content_filter", None),
        ("IMAGE_SAFETY", "content_filter", None),
        ("OTHER", "error", Reason.MALFORMED_ANSWER),
        ("MALFORMED_FUNCTION_CALL", "error", Reason.MALFORMED_ANSWER),
        ("INVENTED_LATER", "stop", None),
        ("FINISH_REASON_UNSPECIFIED", "", None),
        ("", "", None),
    ],
)
def test_an_answer_ends_as_it_says(said: str, finish: Finish, problem: Reason | None) -> None:
    response = candidate({"text": "x"}, finish=said)
    reply = DIALECT.read_reply(as_json(response))
    heard = hear(DIALECT, [sse(response)])
    assert (reply.finish, reply.problem) == (heard.finish, heard.problem) == (finish, problem)
    assert heard.ended is bool(finish)


def test_a_blocked_prompt_is_a_content_filter_and_not_an_empty_answer() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    reply = DIALECT.read_reply(as_json(blocked))
    assert (reply.problem, reply.finish, reply.detail) == (
        Reason.CONTENT_FILTERED,
        "content_filter",
        "blockReason SAFETY",
    )
    heard = hear(DIALECT, [sse(blocked)])
    assert (heard.problem, heard.ended) == (Reason.CONTENT_FILTERED, True)


def test_an_answer_without_parts_is_still_one() -> None:
    reply = DIALECT.read_reply(as_json({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]}))
    assert (reply.text, reply.finish, reply.choices) == ("", "length", 1)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 2}, Usage(tokens_in=5, tokens_out=2)),
        (
            {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 30},
            Usage(tokens_in=5, tokens_out=32, tokens_reasoning=30),
        ),
        # Nothing but thoughts before the limit came
        ({"promptTokenCount": 5, "thoughtsTokenCount": 13}, Usage(tokens_in=5, tokens_out=13, tokens_reasoning=13)),
        (
            {
                "promptTokenCount": 5,
                "candidatesTokenCount": 2,
                "toolUsePromptTokenCount": 3,
                "cachedContentTokenCount": 4,
            },
            Usage(tokens_in=8, tokens_out=2, tokens_cached=4),
        ),
        ({"promptTokenCount": -5, "candidatesTokenCount": 2}, None),
        ({"candidatesTokenCount": 2}, None),
        ({}, None),
    ],
)
def test_thoughts_are_among_the_tokens_out(counts: dict[str, Any], usage: Usage | None) -> None:
    assert usage_of(**counts) == usage


def test_counts_before_the_end_are_of_what_came_so_far() -> None:
    early = candidate({"text": "x"}, usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": 1})
    assert hear(DIALECT, [sse(early)]).usage is None


def test_an_error_in_a_stream_comes_alone_or_in_a_list() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    for stream in (sse(candidate({"text": "O"}), error), as_json([candidate({"text": "O"}), error])):
        heard = hear(DIALECT, [stream])
        assert (heard.text, heard.problem, heard.ended) == ("O", Reason.OVERLOADED, False)


@pytest.mark.parametrize("event", [{"choices": []}, {}, [1], "[DONE]"])
def test_an_event_of_another_api_is_a_bad_answer(event: Any) -> None:
    with pytest.raises(BadAnswer):
        hear(DIALECT, [sse(event)])


def test_the_list_has_names_as_they_are_asked_by() -> None:
    body = as_json({"models": [{"name": "models/gemini-2.5-pro"}, {"name": "models/embedding-001"}, {"name": 7}]})
    names = DIALECT.read_models(body)
    assert names == ["embedding-001", "gemini-2.5-pro"]
    assert DIALECT.offers(names, "models/gemini-2.5-pro")
    assert DIALECT.offers(names, "tunedModels/mine")
    assert not DIALECT.offers(names, "gemini-9")


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}], 34.07),
        ({"retry-after": "5"}, [{"retryDelay": "34s"}], 5.0),
        ({}, [{"retryDelay": "soon"}], None),
        ({}, [{"retryDelay": 34}], None),
        ({}, [], None),
    ],
)
def test_the_wait_is_in_the_error_itself(headers: dict[str, str], details: list[Any], seconds: float | None) -> None:
    for body in ({"error": {"details": details}}, [{"error": {"details": details}}]):
        assert DIALECT.retry_after(headers, as_json(body)) == seconds


def test_an_embedding_is_asked_of_its_own_method() -> None:
    request = DIALECT.embedding_request(endpoint("gemini-embedding-001"), "text")
    assert request is not None
    assert request.url == f"{BASE}/models/gemini-embedding-001:embedContent"
    assert json.loads(request.body or b"") == {"content": {"parts": [{"text": "text"}]}}
    assert DIALECT.read_embedding(as_json({"embedding": {"values": [0.1, 0.2]}})) == (2, None)
