"""Every kind of look at a published server of AI models: its list, its vectors, golden prompts, a wrong key, base URLs
as people paste them, and the day it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.published import Asked, Watcher
from tests.flows.published_faults import (
    BAD_REQUEST,
    DIALECTS,
    EMBEDDING,
    GONE,
    INVALID_KEY,
    MALFORMED,
    NETWORK,
    PING,
    RATE_LIMIT,
    SERVER_ERROR,
    STREAM,
    WELL,
    Seen,
    chaos,
    text,
)
from tests.servers.aimock import AimockServer

pytestmark = pytest.mark.platform

KEY = "a-key-that-nobody-may-see"
LIST, CANARY = "ai_models", "ai_canary"
WRONG_ANSWER = Seen("wrong_answer", "quality")
# The server has a list for these alone.
LISTED = ("openai", "openai_compatible", "anthropic", "ollama")
VECTOR = {"response": {"embedding": [0.5] * 8}}
ON_VECTORS: dict[str, tuple[dict[str, Any], Seen]] = {
    "vectors": (VECTOR, WELL),
    "vectors-dropped": (chaos(dropRate=1) | VECTOR, SERVER_ERROR),
    "vectors-garbage": (chaos(malformedRate=1) | VECTOR, MALFORMED),
    "vectors-limited": (chaos(rateLimitRate=1) | VECTOR, RATE_LIMIT),
    "vectors-hung-up": (chaos(disconnectRate=1) | VECTOR, NETWORK),
}
SUM = {"name": "Sum", "prompt": "What is 17 + 25? Digits only.", "expected": "42"}
TOOL = {
    "name": "Tool",
    "prompt": "What is the weather in Seoul?",
    "assertion": "tool_call",
    "expected": '{"name": "get_weather", "arguments": {"city": "Seoul"}}',
}
SCHEMA = {
    "name": "Object",
    "prompt": "Name a city as JSON.",
    "assertion": "json_schema",
    "expected": '{"type": "object", "required": ["city"]}',
}
CAPITAL = {"name": "Capital", "prompt": "What is the capital of France?", "assertion": "regex", "expected": "Paris"}


def golden(words: str, response: dict[str, Any]) -> dict[str, Any]:
    return {"match": {"model": "golden", "userMessage": words}, "response": response}


FIXTURES = [
    {"match": {"model": "good"}, **text()},
    {"match": {"model": "dropped"}, **chaos(dropRate=1)},
    {"match": {"model": "absurd"}, **text(usage={"prompt_tokens": 99_999_999, "completion_tokens": -3})},
    *({"match": {"model": name}, **fixture} for name, (fixture, _seen) in ON_VECTORS.items()),
    golden("17 + 25", {"content": "42"}),
    golden("weather", {"toolCalls": [{"name": "get_weather", "arguments": {"city": "Seoul"}}]}),
    golden("as JSON", {"content": {"city": "Seoul"}}),
    golden("capital", {"content": "Lyon"}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[AimockServer]:
    with AimockServer(FIXTURES, api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def watcher(portal: RunningPortal) -> Watcher:
    return Watcher(portal)


@pytest.fixture(scope="module")
def providers(watcher: Watcher, server: AimockServer) -> dict[str, str]:
    """One provider of each dialect, by its dialect."""
    return {dialect: watcher.provider(dialect, server.base_url(dialect), KEY) for dialect in DIALECTS}


def test_its_models_are_discovered_and_found_in_its_list_where_it_has_one(
    watcher: Watcher, providers: dict[str, str]
) -> None:
    offered = {fixture["match"]["model"] for fixture in FIXTURES}
    for dialect in LISTED:
        assert set(watcher.discover(providers[dialect])) == offered
    expected = {
        (dialect, model): (WELL if model != "nobody" else GONE) if dialect in LISTED else BAD_REQUEST
        for dialect in DIALECTS
        for model in ("", "good", "nobody")
    }
    looks = watcher.look(Asked(providers[dialect], LIST, model) for dialect, model in expected)
    assert dict(zip(expected, [look.seen for look in looks], strict=True)) == expected
    assert [look.result["state"] for look in looks] == [seen.state for seen in expected.values()]


def test_a_wrong_key_is_ours_in_every_dialect_and_for_every_kind(watcher: Watcher, server: AimockServer) -> None:
    wrong = "another-key-that-nobody-may-see"
    asked = []
    for dialect in DIALECTS:
        provider = watcher.provider(dialect, server.base_url(dialect), wrong)
        asked += [Asked(provider, LIST), Asked(provider, PING, "good"), Asked(provider, STREAM, "good")]
        asked += [Asked(provider, CANARY, "golden", {"prompts": [SUM]})]
        asked += [Asked(provider, EMBEDDING, "vectors")] if dialect != "anthropic" else []
    for look in watcher.look(asked):
        assert (look.asked.kind, look.seen, look.result["state"]) == (look.asked.kind, INVALID_KEY, "degraded")
        assert wrong not in str(look)
        assert look.measured.get("tokens_in", 0) == look.measured.get("usage_estimated", 0) == 0


def test_vectors_are_counted_and_their_faults_are_seen(watcher: Watcher, providers: dict[str, str]) -> None:
    expected = {
        (dialect, model): seen
        for dialect in DIALECTS
        if dialect != "anthropic"
        for model, (_fixture, seen) in ON_VECTORS.items()
    }
    looks = watcher.look(Asked(providers[dialect], EMBEDDING, model) for dialect, model in expected)
    assert dict(zip(expected, [look.seen for look in looks], strict=True)) == expected
    assert {look.measured["dimensions"] for look in looks if look.asked.model == "vectors"} == {8}


def test_golden_prompts_are_held_against_its_answers(watcher: Watcher, providers: dict[str, str]) -> None:
    good, bad = {"prompts": [SUM, TOOL, SCHEMA]}, {"prompts": [SUM, CAPITAL]}
    broken = {"prompts": [SUM]}
    for provider in providers.values():
        right, wrong, dropped = watcher.look(
            [
                Asked(provider, CANARY, "golden", good),
                Asked(provider, CANARY, "golden", bad),
                Asked(provider, CANARY, "dropped", broken),
            ]
        )
        assert (right.seen, wrong.seen, dropped.seen) == (WELL, WRONG_ANSWER, SERVER_ERROR)
        assert [one["passed"] for one in right.evidence["prompts"]] == [True, True, True]
        [_sum, capital] = wrong.evidence["prompts"]
        assert (capital["passed"], capital["expected"], capital["actual"]) == (False, "Paris", "Lyon")
        assert "capital of France" not in str(wrong), "a prompt may be somebody's secret"
        model = watcher.model(wrong)
        assert (model["error_class"], model["fault"]) == WRONG_ANSWER
        assert model["status"] != "outage", "quality is an axis of its own"


def test_numbers_nobody_can_believe_are_replaced_by_an_estimate(watcher: Watcher, providers: dict[str, str]) -> None:
    asked = [Asked(provider, kind, "absurd") for provider in providers.values() for kind in (PING, STREAM)]
    for look in watcher.look(asked):
        assert look.seen == WELL
        assert look.measured["usage_estimated"] == 1
        assert 0 < look.measured["tokens_in"] < 100
        assert 0 < look.measured["tokens_out"] < 200


def test_a_base_url_is_taken_as_people_paste_it(watcher: Watcher, server: AimockServer) -> None:
    pasted = {
        "openai": ("", "/", "/v1", "/v1/", "/v1/chat/completions"),
        # The last is where its router of many providers is, with a list of its own.
        "openai_compatible": ("", "/v1", "/v1/models", "/api/v1"),
        "anthropic": ("", "/v1", "/v1/messages"),
        "gemini": ("", "/v1beta"),
        "ollama": ("", "/api", "/v1"),
        "azure": ("", "/openai", "/openai/v1", "/?api-version=2024-10-21"),
    }
    places = [(dialect, path) for dialect, paths in pasted.items() for path in paths]
    asked = []
    for dialect, path in places:
        provider = watcher.provider(dialect, server.url + path, KEY)
        asked += [Asked(provider, PING, "good"), Asked(provider, STREAM, "good")]
        asked += [Asked(provider, LIST)] if dialect in LISTED else []
    looks = watcher.look(asked)
    assert [(str(look.evidence["url"]), look.result["sentence"]) for look in looks if look.seen != WELL] == []


def test_a_server_that_is_gone_is_the_networks(watcher: Watcher) -> None:
    with AimockServer(FIXTURES) as server:
        places = {dialect: watcher.provider(dialect, server.base_url(dialect)) for dialect in DIALECTS}
        asked = [Asked(provider, kind, "good") for provider in places.values() for kind in (PING, STREAM)]
        assert [look.seen for look in watcher.look(asked)] == [WELL] * len(asked)
        server.stop()
    looks = watcher.look(asked)
    assert [(look.seen, look.result["reason"]) for look in looks] == [(NETWORK, "connect_refused")] * len(asked)
