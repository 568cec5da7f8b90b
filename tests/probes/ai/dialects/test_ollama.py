"""Ollama: lines of JSON, counts in the last, and names that may lack their tag."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer, Finish
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import OLLAMA_STREAM, as_json, hear, json_lines

DIALECT = AI_DIALECTS.get("ollama")


def body_of(ask: Ask, model: str = "llama3") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(DIALECT.chat_request(Endpoint(model=model), ask).body or b"")
    return body


def line(content: str = "", **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": content}, "done": False} | more


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("", "http://127.0.0.1:11434"),
        ("http://host:11434/", "http://host:11434"),
        ("http://host:11434/api", "http://host:11434"),
        ("http://host:11434/api/chat", "http://host:11434"),
        ("http://host:11434/v1/", "http://host:11434"),
        ("https://host/ollama", "https://host/ollama"),
    ],
)
def test_its_paths_begin_at_the_root_whatever_was_pasted(base_url: str, root: str) -> None:
    endpoint = Endpoint(base_url=base_url, model="llama3")
    assert DIALECT.chat_request(endpoint, Ask(prompt="?")).url == f"{root}/api/chat"
    assert DIALECT.models_request(endpoint).url == f"{root}/api/tags"
    embedding = DIALECT.embedding_request(endpoint, "text")
    assert embedding is not None
    assert embedding.url == f"{root}/api/embed"


def test_a_question_says_whether_it_wants_a_stream_and_no_thinking() -> None:
    assert body_of(Ask(prompt="Hi", system="Be brief", temperature=0.0)) == {
        "model": "llama3",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "stream": False,
        "think": False,
        "options": {"num_predict": 16, "temperature": 0.0},
    }
    assert body_of(Ask(prompt="Hi", stream=True))["stream"] is True


def test_a_model_that_always_thinks_is_told_to_do_little_and_gets_room() -> None:
    body = body_of(Ask(prompt="?"), "gpt-oss:20b")
    assert body["think"] == "low"
    assert body["options"]["num_predict"] == 16 + DIALECT.reasoning_allowance("gpt-oss:20b") > 16
    assert DIALECT.reasoning_allowance("deepseek-r1") == 0


def test_tools_and_a_schema_have_their_places() -> None:
    schema = {"type": "object"}
    body = body_of(Ask(prompt="?", tools=({"name": "f"},), json_schema=schema))
    assert body["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert body["format"] == schema


@pytest.mark.parametrize(
    ("model", "is_offered"),
    [("llama3:latest", True), ("llama3", True), ("qwen:7b", True), ("qwen", False), ("llama", False)],
)
def test_a_name_without_a_tag_means_the_latest(model: str, is_offered: bool) -> None:
    names = DIALECT.read_models(as_json({"models": [{"name": "qwen:7b"}, {"model": "llama3:latest"}]}))
    assert names == ["llama3:latest", "qwen:7b"]
    assert DIALECT.offers(names, model) is is_offered


@pytest.mark.parametrize(
    ("said", "finish"),
    [("stop", "stop"), ("length", "length"), ("load", "stop"), (None, "stop"), ("unload", "stop")],
)
def test_a_stream_ends_with_the_line_that_is_done(said: Any, finish: Finish) -> None:
    heard = hear(DIALECT, [json_lines(line("OK"), line(done=True, done_reason=said))])
    assert (heard.text, heard.finish, heard.ended) == ("OK", finish, True)


def test_a_stream_that_is_never_done_has_no_end() -> None:
    heard = hear(DIALECT, [json_lines(line("O"), line("K"))])
    assert (heard.text, heard.finish, heard.ended, heard.usage) == ("OK", "", False, None)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_eval_count": 26, "eval_count": 7}, Usage(tokens_in=26, tokens_out=7)),
        # A prompt that was still in memory
        ({"eval_count": 7}, Usage(tokens_in=0, tokens_out=7)),
        ({"prompt_eval_count": 26}, None),
        ({"prompt_eval_count": 26, "eval_count": -1}, None),
        ({"prompt_eval_count": "26", "eval_count": 7}, None),
        ({}, None),
    ],
)
def test_its_counts_are_the_usage(counts: dict[str, Any], usage: Usage | None) -> None:
    assert DIALECT.read_reply(as_json(line("OK", done=True, **counts))).usage == usage
    assert hear(DIALECT, [json_lines(line("OK"), line(done=True, **counts))]).usage == usage


def test_an_error_in_the_middle_of_a_stream_is_its_problem() -> None:
    heard = hear(DIALECT, [json_lines(line("O"), {"error": "model runner has unexpectedly stopped"})])
    assert (heard.text, heard.problem, heard.ended) == ("O", Reason.MALFORMED_ANSWER, False)
    reply = DIALECT.read_reply(b'{"error": "server busy, please try again"}')
    assert reply.problem is Reason.OVERLOADED
    assert reply.detail == "server busy, please try again"


@pytest.mark.parametrize("event", [{}, {"choices": []}, {"done": False}, [], {"message": "text"}])
def test_a_line_that_is_no_part_of_an_answer_is_a_bad_answer(event: Any) -> None:
    with pytest.raises(BadAnswer):
        hear(DIALECT, [json_lines(event)])


def test_garbage_in_one_line_is_a_bad_answer() -> None:
    lines = OLLAMA_STREAM.splitlines(keepends=True)
    with pytest.raises(BadAnswer):
        hear(DIALECT, [lines[0], b"garbage\n", *lines[1:]])


def test_a_key_is_sent_as_a_bearer_token() -> None:
    request = DIALECT.models_request(Endpoint(base_url="https://ollama.com", api_key="k"))
    assert request.headers["Authorization"] == "Bearer k"


def test_an_embedding_may_come_in_the_words_of_the_old_path() -> None:
    assert DIALECT.read_embedding(as_json({"model": "m", "embedding": [0.5, 0.25]})) == (2, None)


@pytest.mark.parametrize(
    "body", [{}, {"embeddings": []}, {"embeddings": [[]]}, {"embeddings": ["text"]}, {"embedding": []}]
)
def test_an_embedding_without_numbers_is_a_bad_answer(body: Any) -> None:
    with pytest.raises(BadAnswer):
        DIALECT.read_embedding(as_json(body))
