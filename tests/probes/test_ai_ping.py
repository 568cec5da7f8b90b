"""The `ai_ping` kind: one word of a model, never the same question twice, never more than was agreed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.addresses import probe_policy
from apps.core.kindconfig import ConfigError, decode
from apps.probes.ai.usage import Usage
from apps.probes.base import PROBE_KINDS, OutcomeState, Reason
from apps.probes.kinds.ai_ping import AiPingConfig
from apps.probes.runner import run_once
from tests.probes.ai.asked import DIALECTS, KEY, endpoint, look
from tests.servers.listening import free_port
from tests.servers.model_script import Script, Tokens
from tests.servers.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        running.script = Script(words=("OK",))
        yield running


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_that_answers_is_good_and_says_what_it_used(server: ModelServer, dialect: str) -> None:
    server.script = Script(words=("OK",), tokens=Tokens(tokens_in=20))
    outcome = look("ai_ping", server, dialect=dialect)
    assert (outcome.state, outcome.reason) == (OutcomeState.OK, Reason.OK)
    assert (outcome.measurements["tokens_in"], outcome.measurements["tokens_out"]) == (20, 1)
    assert "usage_estimated" not in outcome.measurements
    assert outcome.evidence["answer"] == "OK"
    assert (outcome.evidence["model"], outcome.evidence["dialect"]) == ("model-a", dialect.partition(":")[0])


def test_no_two_questions_are_the_same_from_their_beginning_on(server: ModelServer) -> None:
    for _turn in range(3):
        look("ai_ping", server)
    prompts = [asked.body["messages"][-1]["content"] for asked in server.asked]
    assert len({prompt[:14] for prompt in prompts}) == 3


def test_about_sixteen_tokens_are_asked_for_and_never_one(server: ModelServer) -> None:
    look("ai_ping", server)
    body = server.asked[0].body
    assert body.get("max_completion_tokens", body.get("max_tokens")) == 16
    with pytest.raises(ConfigError) as caught:
        decode(AiPingConfig, {"max_output_tokens": 1})
    assert caught.value.errors == {"max_output_tokens": ["Enter a whole number from 16 to 1024."]}


def test_a_model_that_thinks_away_its_limit_is_our_setting_and_no_outage(server: ModelServer) -> None:
    outcome = look("ai_ping", server, "reasoning-only")
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.LENGTH_REACHED)
    assert "at most 16" in outcome.sentence


def test_an_answer_with_the_word_in_it_is_good_although_our_limit_cut_it(server: ModelServer) -> None:
    server.script = Script(words=("OK! ", "I am ", "glad to"), finish="length")
    assert look("ai_ping", server).state is OutcomeState.OK


def test_missing_and_absurd_usage_is_estimated_and_marked(server: ModelServer) -> None:
    for model in ("no-usage", "absurd-usage"):
        measured = look("ai_ping", server, model).measurements
        assert measured["usage_estimated"] == 1
        assert 10 < measured["tokens_in"] < 100
        assert 0 < measured["tokens_out"] < 100


def test_a_look_that_was_sent_and_lost_counts_as_what_it_may_have_cost(server: ModelServer) -> None:
    measured = look("ai_ping", server, "silent", seconds=0.4).measurements
    assert (measured["tokens_out"], measured["usage_estimated"]) == (16, 1)


def test_a_look_that_never_left_costs_nothing(server: ModelServer) -> None:
    config = {"endpoint": {**endpoint(server), "base_url": f"http://127.0.0.1:{free_port()}/v1"}}
    outcome = run_once("ai_ping", config, 2.0, probe_policy())
    assert outcome.reason is Reason.CONNECT_REFUSED
    assert (outcome.measurements["tokens_in"], outcome.measurements["tokens_out"]) == (0, 0)


@pytest.mark.parametrize("base", ["", "/v1", "/v1/", "/v1/chat/completions"])
def test_a_base_url_is_understood_with_and_without_its_version(server: ModelServer, base: str) -> None:
    config = {"endpoint": {**endpoint(server), "base_url": f"http://127.0.0.1:{server.port}{base}"}}
    assert run_once("ai_ping", config, 5.0, probe_policy()).state is OutcomeState.OK
    assert server.asked[0].path == "/v1/chat/completions"


def test_a_provider_that_echoes_key_and_question_is_not_repeated(server: ModelServer) -> None:
    server.choose = lambda asked: Script(words=(f"{KEY} {asked.body['messages'][-1]['content']} OK",))
    wire = json.dumps(look("ai_ping", server).to_wire())
    assert "hunter2" not in wire
    assert "Reply with the single word" not in wire


@pytest.mark.parametrize(("change", "detail"), [({"base_url": ""}, "no base URL"), ({"dialect": "klingon"}, "klingon")])
def test_an_endpoint_nobody_can_be_asked_at_says_nothing_of_the_model(
    server: ModelServer, change: dict[str, Any], detail: str
) -> None:
    outcome = run_once("ai_ping", {"endpoint": {**endpoint(server), **change}}, 2.0, probe_policy())
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INVALID_CONFIGURATION)
    assert detail in outcome.evidence["detail"]


def test_the_most_it_may_use_covers_what_it_uses(server: ModelServer) -> None:
    kind = PROBE_KINDS.get("ai_ping")
    most: Usage = kind.most_usage(decode(AiPingConfig, {}))
    estimated = look("ai_ping", server, "no-usage").measurements["tokens_in"]
    assert most.tokens_in >= estimated
    assert most.tokens_out == 16
