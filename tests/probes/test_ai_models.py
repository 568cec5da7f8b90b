"""The `ai_models` kind: answers by class, and the list a provider offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.addresses import AddressPolicy, channel_policy, probe_policy
from apps.core.kindconfig import ConfigError, decode
from apps.core.outbound import OutboundError
from apps.probes.ai.endpoint import Endpoint
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.ai_models import AiModelsConfig, NoModelList, list_models_of, models_url
from apps.probes.runner import run_once
from tests.servers import http
from tests.servers.http import HttpServer

MODELS = {"object": "list", "data": [{"id": "gpt-small", "object": "model"}, {"id": "gpt-large"}]}
KEY = "sk-hunter2-hunter2"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        running.behave("/v1/models", http.answer(200, MODELS))
        yield running


def looked(server: HttpServer, timeout_seconds: float = 2.0, **config: Any) -> Outcome:
    given = {"base_url": server.url("/v1"), "api_key": KEY, **config}
    decode(AiModelsConfig, given)
    return run_once("ai_models", given, timeout_seconds, probe_policy())


def listed(server: HttpServer, key: str = KEY, policy: AddressPolicy | None = None) -> list[str]:
    endpoint = Endpoint(dialect="openai_compatible", base_url=server.url("/v1/"), api_key=key)
    return list_models_of(endpoint, policy=policy or probe_policy())


def error(status: int, /, **body: Any) -> http.Behaviour:
    return http.answer(status, {"error": body} if body else "no")


def test_a_provider_that_lists_the_model_is_good(server: HttpServer) -> None:
    outcome = looked(server, model="gpt-large")
    assert outcome.state is OutcomeState.OK
    assert outcome.measurements["models"] == 2
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
    assert looked(server).state is OutcomeState.OK


def test_a_model_that_is_not_listed_fails_and_the_list_is_shown(server: HttpServer) -> None:
    outcome = looked(server, model="gpt-huge")
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.MODEL_NOT_LISTED)
    assert outcome.sentence == "The provider's list of 2 models does not contain gpt-huge."
    assert outcome.evidence["models"] == ["gpt-large", "gpt-small"]


@pytest.mark.parametrize(
    ("behaviour", "state", "reason"),
    [
        (error(401, code="invalid_api_key"), OutcomeState.DEGRADED, Reason.INVALID_KEY),
        (error(401), OutcomeState.DEGRADED, Reason.INVALID_KEY),
        (
            error(400, message="API key not valid.", status="INVALID_ARGUMENT"),
            OutcomeState.DEGRADED,
            Reason.INVALID_KEY,
        ),
        (error(403, message="no access"), OutcomeState.DEGRADED, Reason.PERMISSION_DENIED),
        (error(403, code="billing_not_active"), OutcomeState.DEGRADED, Reason.BILLING),
        (error(402), OutcomeState.DEGRADED, Reason.BILLING),
        (error(429, code="insufficient_quota"), OutcomeState.DEGRADED, Reason.QUOTA_EXHAUSTED),
        (error(429, message="You exceeded your current quota"), OutcomeState.DEGRADED, Reason.QUOTA_EXHAUSTED),
        (error(400, message="Your credit balance is too low"), OutcomeState.DEGRADED, Reason.BILLING),
        (error(429, code="rate_limit_exceeded"), OutcomeState.DEGRADED, Reason.RATE_LIMITED),
        (error(429), OutcomeState.DEGRADED, Reason.RATE_LIMITED),
        (error(500), OutcomeState.FAILED, Reason.SERVER_ERROR),
        (error(503, message="billing service down"), OutcomeState.FAILED, Reason.OVERLOADED),
        (error(529, type="overloaded_error"), OutcomeState.FAILED, Reason.OVERLOADED),
        (error(404), OutcomeState.DEGRADED, Reason.BAD_REQUEST),
        (http.answer(404, "404 page not found"), OutcomeState.DEGRADED, Reason.BAD_REQUEST),
        (http.redirect("/login"), OutcomeState.FAILED, Reason.STATUS_MISMATCH),
        (http.answer(200, "<html>Sign in</html>"), OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER),
        (http.answer(200, {"data": "none"}), OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER),
        (http.answer(200, "[" * 100_000), OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER),
        (http.reset, OutcomeState.FAILED, Reason.CONNECTION_RESET),
        (http.huge, OutcomeState.FAILED, Reason.BODY_TOO_LARGE),
        (http.gzip_bomb, OutcomeState.FAILED, Reason.DECOMPRESSION_BOMB),
    ],
)
def test_an_answer_is_judged_by_its_class(
    server: HttpServer, behaviour: http.Behaviour, state: OutcomeState, reason: Reason
) -> None:
    server.behave("/v1/models", behaviour)
    outcome = looked(server)
    assert (outcome.state, outcome.reason) == (state, reason)
    assert outcome.sentence


def test_a_bad_key_is_judged_before_speed(server: HttpServer) -> None:
    server.behave("/v1/models", http.after(0.15, error(401)))
    config = {"base_url": server.url("/v1"), "api_key": KEY}
    assert run_once("ai_models", config, 2.0, probe_policy(), degraded_after_ms=50).reason is Reason.INVALID_KEY


def test_a_provider_that_echoes_the_key_does_not_make_us_show_it(server: HttpServer) -> None:
    server.behave("/v1/models", error(401, message=f"Incorrect API key provided: {KEY}"))
    assert "hunter2" not in str(looked(server).evidence)


def test_the_key_does_not_follow_a_redirect(server: HttpServer) -> None:
    with HttpServer() as other:
        server.behave("/v1/models", http.redirect(other.url("/v1/models")))
        looked(server)
        assert other.received == []


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://a.example/v1", "https://a.example/v1/models"),
        ("https://a.example/v1/", "https://a.example/v1/models"),
        ("https://a.example/v1/models", "https://a.example/v1/models"),
        ("https://a.example", "https://a.example/v1/models"),
    ],
)
def test_the_list_is_found_with_or_without_a_slash(base_url: str, expected: str) -> None:
    assert models_url(base_url) == expected


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"base_url": "ftp://a"}, "base_url"),
        ({"base_url": "https://a.example/v1?x=1"}, "base_url"),
        ({"base_url": "https://a.example", "api_key": "a\nb"}, "api_key"),
        ({"base_url": "https://a.example", "model": "m" * 201}, "model"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_field(config: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(AiModelsConfig, config)
    assert list(caught.value.errors) == [path]


@pytest.mark.parametrize(
    ("body", "models"),
    [
        (b'{"data": [{"id": "b"}, {"id": "a"}, {"id": "a"}, {"nope": 1}, 7]}', ["a", "b"]),
        (b'{"models": [{"name": "llama"}]}', ["llama"]),
        (b'["x", "y"]', ["x", "y"]),
        (b'{"data": []}', []),
    ],
)
def test_lists_of_several_shapes_are_read(server: HttpServer, body: bytes, models: list[str]) -> None:
    server.behave("/v1/models", http.answer(200, body))
    assert listed(server) == models


@pytest.mark.parametrize("body", [b'{"data": null}', b"<html>", b""])
def test_what_is_no_list_is_none(server: HttpServer, body: bytes) -> None:
    server.behave("/v1/models", http.answer(200, body))
    with pytest.raises(NoModelList):
        listed(server)


def test_discovery_asks_now_and_says_why_when_there_is_no_list(server: HttpServer) -> None:
    assert listed(server) == ["gpt-large", "gpt-small"]
    server.behave("/v1/models", error(401))
    with pytest.raises(NoModelList) as refused:
        listed(server)
    assert refused.value.outcome.reason is Reason.INVALID_KEY
    with pytest.raises(OutboundError):
        listed(server, policy=channel_policy())


@pytest.mark.parametrize("placeholder", ["test", "ollama", "lm-studio"])
def test_a_placeholder_for_a_key_leaves_no_model_out(server: HttpServer, placeholder: str) -> None:
    names = ["llama3:latest", "lm-studio/qwen", "ollama/llama3"]
    server.behave("/v1/models", http.answer(200, {"data": [{"id": name} for name in names]}))
    assert listed(server, key=placeholder) == names
