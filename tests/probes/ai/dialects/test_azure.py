"""Azure: deployments in the path, the version in the query, the key in a header of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai.dialect import AI_DIALECTS, Ask
from apps.probes.ai.endpoint import Endpoint
from apps.probes.reasons import Reason
from tests.probes.ai.dialects.samples import KEY, OPENAI_HEARD, OPENAI_STREAM, as_json, chunk, hear, sse

DIALECT = AI_DIALECTS.get("azure")
HOST = "https://example.openai.azure.com"
DEPLOYED = f"{HOST}/openai/deployments/my-gpt/chat/completions"


def endpoint(base_url: str = HOST, model: str = "my-gpt") -> Endpoint:
    return Endpoint(dialect="azure", base_url=base_url, api_key=KEY, model=model)


@pytest.mark.parametrize(
    ("base_url", "chat", "models"),
    [
        (HOST, f"{DEPLOYED}?api-version=2024-10-21", f"{HOST}/openai/models?api-version=2024-10-21"),
        (f"{HOST}/", f"{DEPLOYED}?api-version=2024-10-21", f"{HOST}/openai/models?api-version=2024-10-21"),
        (f"{HOST}/openai", f"{DEPLOYED}?api-version=2024-10-21", f"{HOST}/openai/models?api-version=2024-10-21"),
        (
            f"{HOST}?api-version=2025-04-01-preview",
            f"{DEPLOYED}?api-version=2025-04-01-preview",
            f"{HOST}/openai/models?api-version=2025-04-01-preview",
        ),
        # The "target URI" of a deployment, as the console shows it
        (
            f"{HOST}/openai/deployments/other/chat/completions?api-version=2025-01-01-preview",
            f"{DEPLOYED}?api-version=2025-01-01-preview",
            f"{HOST}/openai/models?api-version=2025-01-01-preview",
        ),
        (f"{HOST}/openai/v1", f"{HOST}/openai/v1/chat/completions", f"{HOST}/openai/v1/models"),
        (f"{HOST}/openai/v1/", f"{HOST}/openai/v1/chat/completions", f"{HOST}/openai/v1/models"),
        (
            f"{HOST}/openai/v1/chat/completions?api-version=preview",
            f"{HOST}/openai/v1/chat/completions?api-version=preview",
            f"{HOST}/openai/v1/models?api-version=preview",
        ),
        (f"{HOST}/openai/v1/responses", f"{HOST}/openai/v1/responses", f"{HOST}/openai/v1/models"),
        (
            f"{HOST}/openai/responses?api-version=2025-04-01-preview",
            f"{HOST}/openai/responses?api-version=2025-04-01-preview",
            f"{HOST}/openai/models?api-version=2025-04-01-preview",
        ),
        (
            "https://gateway.example.com/azure/openai",
            "https://gateway.example.com/azure/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
            "https://gateway.example.com/azure/openai/models?api-version=2024-10-21",
        ),
        # A version that is none is not passed on
        (
            f"{HOST}?api-version=2024%26key=1",
            f"{DEPLOYED}?api-version=2024-10-21",
            f"{HOST}/openai/models?api-version=2024-10-21",
        ),
    ],
)
def test_either_address_is_built_from_whatever_was_pasted(base_url: str, chat: str, models: str) -> None:
    assert DIALECT.chat_request(endpoint(base_url), Ask(prompt="?")).url == chat
    assert DIALECT.models_request(endpoint(base_url)).url == models


def test_a_deployments_name_is_one_step_of_the_path() -> None:
    url = DIALECT.chat_request(endpoint(model="../other?x=1"), Ask(prompt="?")).url
    assert url == f"{HOST}/openai/deployments/..%2Fother%3Fx%3D1/chat/completions?api-version=2024-10-21"


def test_the_key_has_a_header_of_its_own() -> None:
    headers = DIALECT.chat_request(endpoint(), Ask(prompt="?")).headers
    assert headers["api-key"] == KEY
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("deployment", "effort"), [("my-gpt", None), ("gpt-4o", None), ("gpt-5-mini", "minimal"), ("gpt-5.1", "none")]
)
def test_a_deployment_named_after_its_model_reasons_as_little_as_that(deployment: str, effort: str | None) -> None:
    request = DIALECT.chat_request(endpoint(model=deployment), Ask(prompt="?"))
    body: dict[str, Any] = json.loads(request.body or b"")
    assert body.get("reasoning_effort") == effort
    assert body["max_completion_tokens"] >= 16
    assert "max_tokens" not in body


def test_an_embedding_is_asked_of_its_deployment() -> None:
    request = DIALECT.embedding_request(endpoint(), "text")
    assert request is not None
    assert request.url == f"{HOST}/openai/deployments/my-gpt/embeddings?api-version=2024-10-21"


def test_what_a_filter_thinks_of_the_prompt_adds_nothing() -> None:
    first = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    late: dict[str, Any] = {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}
    assert hear(DIALECT, [sse(first, late) + OPENAI_STREAM]) == OPENAI_HEARD


def test_an_answer_stopped_by_the_filter_says_so() -> None:
    assert hear(DIALECT, [sse(chunk({}, "content_filter"))]).finish == "content_filter"
    filtered = {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}
    assert DIALECT.classify(400, {}, as_json(filtered))[0] is Reason.CONTENT_FILTERED


def test_a_deployment_is_never_missing_from_a_list_of_models() -> None:
    names = DIALECT.read_models(as_json({"data": [{"id": "gpt-4o-2024-08-06"}]}))
    assert DIALECT.offers(names, "my-gpt")


def test_its_head_room_is_read() -> None:
    headers = {"x-ratelimit-remaining-requests": "9", "x-ratelimit-remaining-tokens": "900", "retry-after-ms": "1500"}
    assert DIALECT.head_room(headers) == {"requests": {"remaining": 9.0}, "tokens": {"remaining": 900.0}}
    assert DIALECT.retry_after(headers, b"") == 1.5
