"""The `ai_embedding` kind: one sentence in, as many numbers out as were agreed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.core.addresses import probe_policy
from apps.core.kindconfig import decode
from apps.probes.ai.classes import ErrorClass
from apps.probes.ai.endpoint import Endpoint
from apps.probes.base import PROBE_KINDS, OutcomeState, Reason
from apps.probes.kinds.ai_embedding import AiEmbeddingConfig
from apps.probes.runner import run_once
from tests.probes.ai.asked import classified, endpoint, look
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.model_server import NUMBERS, ModelServer

EMBEDDING = ("openai", "openai_compatible", "gemini", "ollama", "azure")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.mark.parametrize("dialect", EMBEDDING)
def test_the_dimensions_are_counted_in_every_dialect_that_has_embeddings(server: ModelServer, dialect: str) -> None:
    outcome = look("ai_embedding", server, dialect=dialect, dimensions=len(NUMBERS))
    assert outcome.state is OutcomeState.OK
    assert outcome.measurements["dimensions"] == len(NUMBERS)
    assert outcome.measurements["tokens_in"] > 0
    assert outcome.measurements["tokens_out"] == 0


def test_another_number_of_dimensions_is_another_answer(server: ModelServer) -> None:
    outcome = look("ai_embedding", server, dimensions=1_536)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER)
    assert outcome.sentence == f"Expected 1536, got {len(NUMBERS)}."


@pytest.mark.parametrize(
    ("model", "expected"),
    [("invalid-key", ErrorClass.INVALID_KEY), ("quota", ErrorClass.QUOTA), ("html", ErrorClass.MALFORMED)],
)
def test_a_refusal_has_its_class(server: ModelServer, model: str, expected: ErrorClass) -> None:
    found = classified(look("ai_embedding", server, model))
    assert found is not None
    assert found[0] is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": []}, ErrorClass.MALFORMED),
        ({"data": [{"embedding": []}]}, ErrorClass.MALFORMED),
        ({"data": [{"embedding": ["a"]}]}, ErrorClass.MALFORMED),
        ({"error": {"message": "Something broke."}}, ErrorClass.MALFORMED),
        ({"error": {"code": "insufficient_quota", "message": "Pay."}}, ErrorClass.QUOTA),
    ],
)
def test_a_good_status_without_an_embedding_is_not_good(
    server: ModelServer, body: dict[str, object], expected: ErrorClass
) -> None:
    with HttpServer() as plain:
        plain.behave("/v1/embeddings", http.answer(200, body))
        config = {"endpoint": {**endpoint(server), "base_url": plain.url("/v1")}}
        outcome = run_once("ai_embedding", config, 3.0, probe_policy())
    found = classified(outcome)
    assert found is not None
    assert found[0] is expected
    assert outcome.measurements["usage_estimated"] == 1


def test_a_dialect_without_embeddings_is_said_before_anything_is_asked(server: ModelServer) -> None:
    kind = PROBE_KINDS.get("ai_embedding")
    assert "Anthropic" in str(kind.endpoint_problem(Endpoint(dialect="anthropic")))
    assert kind.endpoint_problem(Endpoint(dialect="openai")) is None
    outcome = look("ai_embedding", server, dialect="anthropic")
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INVALID_CONFIGURATION)
    assert server.asked == []


def test_it_needs_no_config() -> None:
    most = PROBE_KINDS.get("ai_embedding").most_usage(decode(AiEmbeddingConfig, {}))
    assert (most.tokens_in > 0, most.tokens_out) == (True, 0)
