"""The `ai_canary` kind: golden prompts, one after the other; quality, never an outage, and nobody's secret told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.details import detail_words
from apps.core.kindconfig import ConfigError, decode, merge
from apps.core.kindconfig import mask as masked
from apps.probes.base import PROBE_KINDS, Outcome, OutcomeState, Reason
from apps.probes.kinds.ai_canary import AiCanaryConfig
from tests.probes.ai.asked import DIALECTS, endpoint, look
from tests.probes.engines import RunningEngine, job
from tests.servers.model_answers import Asked
from tests.servers.model_script import FAULTY, Refusal, Script, Tokens
from tests.servers.model_server import ModelServer

SECRET = "the launch codes of the moon base are kept in the kitchen"
SUM = {"name": "Sum", "prompt": "What is 17 + 25?", "expected": "42"}
CAPITAL = {"name": "Capital", "prompt": "Which city?", "assertion": "regex", "expected": "(?i)^seoul"}
OBJECT = {
    "name": "Object",
    "prompt": "Give me JSON.",
    "assertion": "json_schema",
    "expected": '{"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}',
}
TOOL = {
    "name": "Tool",
    "prompt": "What is the weather in Seoul?",
    "assertion": "tool_call",
    "expected": '{"name": "get_weather", "arguments": {"city": "Seoul"}}',
}
GOOD = {
    "17 + 25": Script(words=("4", "2"), tokens=Tokens(tokens_in=10, tokens_out=2)),
    "Which city": Script(words=("Seoul", ", of course"), tokens=Tokens(tokens_in=10, tokens_out=3)),
    "Give me JSON": Script(words=('{"city": ', '"Seoul"}'), tokens=Tokens(tokens_in=10, tokens_out=4)),
    "weather": FAULTY["tools"],
}


def script_for(asked: Asked) -> Script | None:
    text = json.dumps(asked.body)
    return next((script for words, script in GOOD.items() if words in text), None)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        running.choose = script_for
        yield running


def canary(server: ModelServer, *prompts: dict[str, Any], dialect: str = "openai", **more: Any) -> Outcome:
    config: dict[str, Any] = {"prompts": list(prompts)}
    decode(AiCanaryConfig, config)
    return look("ai_canary", server, more.pop("model", "model-a"), dialect=dialect, **config, **more)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_right_answers_are_good_in_every_dialect(server: ModelServer, dialect: str) -> None:
    outcome = canary(server, SUM, CAPITAL, OBJECT, TOOL, dialect=dialect)
    assert outcome.state is OutcomeState.OK, outcome.evidence
    assert [one["passed"] for one in outcome.evidence["prompts"]] == [True] * 4
    assert (outcome.measurements["prompts"], outcome.measurements["prompts_failed"]) == (4, 0)
    assert outcome.measurements["tokens_in"] >= 40
    assert "usage_estimated" not in outcome.measurements


def test_a_wrong_answer_is_quality_and_shows_what_was_expected(server: ModelServer) -> None:
    outcome = canary(server, {**SUM, "expected": "43"}, CAPITAL)
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.WRONG_ANSWER)
    assert outcome.sentence == "1 of 2 golden prompts were not answered as expected."
    wrong = outcome.evidence["prompts"][0]
    assert (wrong["name"], wrong["expected"], wrong["actual"], wrong["detail"]) == ("Sum", "43", "42", "another text")


@pytest.mark.parametrize(
    ("prompt", "detail"),
    [
        ({**CAPITAL, "expected": "^Busan"}, "no match"),
        ({**OBJECT, "expected": '{"required": ["country"]}'}, "“country” is missing at /"),
        (
            {**OBJECT, "prompt": "What is 17 + 25?", "expected": '{"type": "object"}'},
            "what stands at / is not of the type object",
        ),
        ({**OBJECT, "prompt": "Which city?"}, "no JSON"),
        ({**TOOL, "expected": "get_time"}, "the tool “get_weather” was called"),
        (
            {**TOOL, "expected": '{"name": "get_weather", "arguments": {"city": "Busan"}}'},
            "the argument “city” is another",
        ),
        ({**TOOL, "expected": '{"name": "get_weather", "arguments": {"unit": "C"}}'}, "the argument “unit” is missing"),
        ({**TOOL, "prompt": "What is 17 + 25?"}, "no tool was called"),
    ],
)
def test_each_assertion_says_what_is_not_as_expected(server: ModelServer, prompt: dict[str, Any], detail: str) -> None:
    outcome = canary(server, prompt)
    assert outcome.reason is Reason.WRONG_ANSWER
    found = outcome.evidence["prompts"][0]
    assert found["detail"] == detail == detail_words(found)
    assert found["detail_code"], "nobody can say it in another language"


def test_a_filtered_answer_is_no_outage(server: ModelServer) -> None:
    outcome = canary(server, SUM, model="content-filter")
    assert outcome.state is OutcomeState.OK, "the right answer was given"
    server.choose = lambda _asked: FAULTY["content-filter"]
    outcome = canary(server, SUM)
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.CONTENT_FILTERED)


def test_what_stops_it_is_its_class_and_nothing_more_is_paid_for(server: ModelServer) -> None:
    answers = iter([GOOD["17 + 25"], FAULTY["rate-limit"]])
    server.choose = lambda _asked: next(answers)
    outcome = canary(server, SUM, CAPITAL, OBJECT)
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.RATE_LIMITED)
    assert len(server.asked) == 2
    assert [one["detail"] for one in outcome.evidence["prompts"]] == ["", "not asked", "not asked"]
    assert (outcome.measurements["tokens_in"], outcome.measurements["tokens_out"]) == (10, 2)
    assert "usage_estimated" not in outcome.measurements, "a refusal is no guess: it cost nothing"


@pytest.mark.parametrize("model", ["garbage", "silent", "reset", "invalid-key", "error-body"])
def test_a_model_that_cannot_be_asked_is_told_by_class_with_its_tokens(server: ModelServer, model: str) -> None:
    server.choose = lambda _asked: FAULTY[model]
    outcome = canary(server, SUM, seconds=0.9)
    assert outcome.reason not in (Reason.OK, Reason.WRONG_ANSWER, Reason.INTERNAL_ERROR)
    assert {"tokens_in", "tokens_out"} <= set(outcome.measurements)
    assert outcome.evidence["count"] == 1


def test_the_prompts_are_asked_in_order_each_behind_a_nonce(server: ModelServer) -> None:
    canary(server, SUM, CAPITAL)
    canary(server, SUM, CAPITAL)
    prompts = [asked.body["messages"][-1]["content"] for asked in server.asked]
    assert [prompt.partition("] ")[2] for prompt in prompts] == [SUM["prompt"], CAPITAL["prompt"]] * 2
    assert len({prompt[:14] for prompt in prompts}) == 4


@pytest.mark.parametrize("echo", ["whole", "part", "refused"])
def test_a_prompt_is_told_by_its_name_alone(server: ModelServer, echo: str) -> None:
    spoken = {"whole": SECRET, "part": f"You said: {SECRET[4:40]}", "refused": ""}[echo]
    refused = Script(refusal=Refusal(status=400, code="bad", message=f"Bad prompt: {SECRET}"))
    server.choose = lambda _asked: refused if echo == "refused" else Script(words=(spoken,))
    outcome = canary(server, {"name": "Moon", "prompt": SECRET, "system": SECRET.upper(), "expected": "no"})
    wire = json.dumps(outcome.to_wire())
    assert "Moon" in wire
    for part in (SECRET, SECRET[10:35], SECRET.upper()):
        assert part not in wire


def test_the_engine_runs_it_and_its_whole_time_is_bounded(server: ModelServer) -> None:
    server.choose = lambda _asked: Script(first_delay=0.3, words=("42",))
    config = {"prompts": [{**SUM, "name": f"Sum {number}"} for number in range(20)]}
    with RunningEngine() as running:
        outcome = running.run(job("ai_canary", {**config, "endpoint": endpoint(server)}, 1.0))[0]
    assert outcome.state is OutcomeState.DEGRADED
    assert outcome.measurements["tokens_in"] > 0
    assert outcome.evidence["prompts"][0]["passed"] is True


# --- Its config -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompts", "path"),
    [
        ([], "prompts"),
        ([{**SUM, "name": f"Sum {number}"} for number in range(21)], "prompts"),
        ([SUM, {**SUM, "name": " sum"}], "prompts"),
        ([{**SUM, "prompt": ""}], "prompts.0.prompt"),
        ([{**SUM, "name": ""}], "prompts.0.name"),
        ([{**SUM, "assertion": "vibes"}], "prompts.0.assertion"),
        ([{**SUM, "max_output_tokens": 1}], "prompts.0.max_output_tokens"),
        ([{**CAPITAL, "expected": "("}], "prompts.0.expected"),
        ([{**CAPITAL, "expected": "(?=look)"}], "prompts.0.expected"),
        ([{**OBJECT, "expected": "{"}], "prompts.0.expected"),
        ([{**OBJECT, "expected": '{"type": "thing"}'}], "prompts.0.expected"),
        ([{**OBJECT, "expected": '{"$ref": "http://127.0.0.1/x"}'}], "prompts.0.expected"),
        ([{**OBJECT, "expected": '{"pattern": "("}'}], "prompts.0.expected"),
        ([{**TOOL, "expected": "not a name"}], "prompts.0.expected"),
        ([{**TOOL, "expected": '{"name": "x", "arguments": []}'}], "prompts.0.expected"),
        ([{**TOOL, "tool": "{"}], "prompts.0.tool"),
        ([{**SUM, "tool": '{"name": "x"}'}], "prompts.0.tool"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused_by_field(prompts: list[Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(AiCanaryConfig, {"prompts": prompts})
    assert list(caught.value.errors) == [path]
    assert all(caught.value.errors[path])


def test_what_comes_back_masked_keeps_its_prompt_by_name_also_in_another_order() -> None:
    stored = {"prompts": [SUM, {**CAPITAL, "system": "Be brief."}]}
    shown = masked(AiCanaryConfig, stored)
    assert SUM["prompt"] not in json.dumps(shown)
    shown["prompts"].reverse()
    kept = merge(AiCanaryConfig, stored, shown)
    assert kept["prompts"] == list(reversed(stored["prompts"]))
    shown["prompts"][0]["name"] = "City"
    assert merge(AiCanaryConfig, stored, shown)["prompts"][1]["prompt"] == SUM["prompt"]


def test_a_prompt_masked_under_no_stored_name_has_to_be_entered() -> None:
    stored = {"prompts": [SUM]}
    shown = masked(AiCanaryConfig, {"prompts": [SUM, {**CAPITAL}]})
    with pytest.raises(ConfigError) as caught:
        decode(AiCanaryConfig, merge(AiCanaryConfig, stored, shown))
    assert list(caught.value.errors) == ["prompts.1.prompt"]


def test_it_comes_once_a_day_and_decides_nothing_by_itself() -> None:
    kind = PROBE_KINDS.get("ai_canary")
    assert (kind.default_interval_seconds, kind.default_affects_status) == (86_400, False)
    most = kind.most_usage(decode(AiCanaryConfig, {"prompts": [SUM, CAPITAL]}))
    assert most.tokens_out == 2 * 256
