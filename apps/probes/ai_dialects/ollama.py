"""Ollama's own API: one JSON object a line, and counts of tokens in the last of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import HttpRequest
from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.base_urls import without_endings
from apps.probes.ai.chat_completions import finish_of, request, tool_calls_in
from apps.probes.ai.dialect import AI_DIALECTS, Ask, Delta, Dialect, EventReader, Reply, names_in
from apps.probes.ai.documents import believed, decoded_object, object_at, objects_in, text_in, vector_length
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.refusals import problem_in
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail

_ENDINGS = ("/api/chat", "/api/tags", "/api/embed", "/api", "/v1/chat/completions", "/v1/models", "/v1")
# The one family that thinks whatever it is told, only more or less.
_ALWAYS_THINKS = "gpt-oss"
_THINKING_TOKENS = 256


class Ollama(Dialect):
    """`/api/chat`, `/api/tags` and `/api/embed`. A key is only needed behind a proxy, and at ollama.com."""

    name = "ollama"
    label = _("Ollama")
    default_base_url = "http://127.0.0.1:11434"
    needs_key = False
    framing = "json_lines"

    def reasoning_allowance(self, model: str) -> int:
        return _THINKING_TOKENS if _ALWAYS_THINKS in model else 0

    def models_request(self, endpoint: Endpoint) -> HttpRequest:
        return self._request(endpoint, "/api/tags")

    def read_models(self, body: bytes) -> list[str]:
        models = decoded_object(body).get("models")
        if not isinstance(models, list):
            raise BadAnswer(Detail.NO_MODELS)
        return names_in([entry.get("name") or entry.get("model") for entry in objects_in(models, 5_000)])

    def offers(self, names: Sequence[str], model: str) -> bool:
        return model in names or f"{model}:latest" in names

    def chat_request(self, endpoint: Endpoint, ask: Ask) -> HttpRequest:
        system = [{"role": "system", "content": ask.system}] if ask.system else []
        options: dict[str, Any] = {"num_predict": ask.max_output_tokens + self.reasoning_allowance(endpoint.model)}
        if ask.temperature is not None:
            options["temperature"] = ask.temperature
        body: dict[str, Any] = {
            "model": endpoint.model,
            "messages": [*system, {"role": "user", "content": ask.prompt}],
            "stream": ask.stream,
            "think": "low" if _ALWAYS_THINKS in endpoint.model else False,
            "options": options,
        }
        if ask.tools:
            body["tools"] = [{"type": "function", "function": dict(tool)} for tool in ask.tools]
        if ask.json_schema is not None:
            body["format"] = dict(ask.json_schema)
        return self._request(endpoint, "/api/chat", body)

    def read_reply(self, body: bytes) -> Reply:
        document = decoded_object(body)
        problem = problem_in(document)
        if problem is not None:
            return Reply(problem=problem[0], detail=problem[1])
        message = object_at(document, "message")
        calls = tool_calls_in(message)
        return Reply(
            text=text_in(message.get("content")),
            reasoning=text_in(message.get("thinking")),
            finish="tool_calls" if calls else finish_of(document.get("done_reason")),
            usage=_usage_in(document),
            tool_calls=calls,
            choices=1 if message else 0,
            model=text_in(document.get("model"))[:200],
        )

    def event_reader(self) -> EventReader:
        return _Lines()

    def embedding_request(self, endpoint: Endpoint, text: str) -> HttpRequest | None:
        return self._request(endpoint, "/api/embed", {"model": endpoint.model, "input": text})

    def read_embedding(self, body: bytes) -> tuple[int, Usage | None]:
        document = decoded_object(body)
        # Servers that stand in for it answer the new path in the words of the old one: one vector.
        vectors = document.get("embeddings", [document["embedding"]] if "embedding" in document else None)
        if not isinstance(vectors, list) or not vectors:
            raise BadAnswer(Detail.NO_EMBEDDING)
        return vector_length(vectors[0]), believed(document.get("prompt_eval_count"), 0)

    def _request(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> HttpRequest:
        base = without_endings(endpoint.base_url or self.default_base_url, _ENDINGS)
        headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
        return request(base + path, headers, body, verify_tls=endpoint.verify_tls)


class _Lines(EventReader):
    """Every line is a message with what was added; the last one says that it is done, why, and what it took."""

    def __init__(self) -> None:
        self._called = False

    def read(self, name: str, data: bytes) -> Delta:
        document = decoded_object(data)
        problem = problem_in(document)
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error")
        message = object_at(document, "message")
        done = document.get("done") is True
        if not message and not done:
            raise BadAnswer(Detail.NO_PART)
        calls = tool_calls_in(message)
        self._called = self._called or bool(calls)
        finish = finish_of(document.get("done_reason")) or "stop"
        return Delta(
            text=text_in(message.get("content")),
            reasoning=text_in(message.get("thinking")),
            tool_calls=calls,
            finish=("tool_calls" if self._called else finish) if done else "",
            usage=_usage_in(document) if done else None,
            ended=done,
        )


def _usage_in(document: Mapping[str, Any]) -> Usage | None:
    """What it took. A prompt that was still in memory is left out by older servers, and costs nothing."""
    return believed(document.get("prompt_eval_count", 0), document.get("eval_count"))


AI_DIALECTS.add("ollama", Ollama())
