"""Which dialect a request speaks, by its path and headers, and what it asks for."""

from __future__ import annotations

from typing import Any

from tests.servers.http import Received
from tests.servers.wires.anthropic import AnthropicWire
from tests.servers.wires.base import Question, Wire
from tests.servers.wires.gemini import GeminiArrayWire, GeminiWire
from tests.servers.wires.ollama import OllamaWire
from tests.servers.wires.openai import AzureWire, OpenAiWire
from tests.servers.wires.responses import ResponsesWire

WIRES: dict[str, Wire] = {
    wire.name: wire
    for wire in (
        OpenAiWire(),
        ResponsesWire(),
        AzureWire(),
        AnthropicWire(),
        GeminiWire(),
        GeminiArrayWire(),
        OllamaWire(),
    )
}


def route(received: Received, body: Any) -> tuple[Wire, Question] | None:
    """The wire and the question; None for a path no provider has."""
    path, _mark, query = received.path.partition("?")
    model = str(body.get("model", "")) if isinstance(body, dict) else ""
    streams = bool(body.get("stream")) if isinstance(body, dict) else False
    if path.startswith("/v1beta/models"):
        return _google(path.removeprefix("/v1beta/models").lstrip("/"), query)
    if path.startswith("/api/"):
        what = {"/api/tags": "models", "/api/chat": "chat", "/api/embed": "embedding"}.get(path)
        return (WIRES["ollama"], Question(what, model, bool(body.get("stream", True)))) if what else None
    if path.startswith("/openai/"):
        return _azure(path, Question("chat", model, streams, _wants_usage(body)))
    anthropic = "anthropic-version" in received.headers
    if path == "/v1/models":
        return WIRES["anthropic" if anthropic else "openai"], Question("models")
    if path == "/v1/messages":
        return WIRES["anthropic"], Question("chat", model, streams)
    if path == "/v1/responses":
        return WIRES["openai:responses"], Question("chat", model, streams)
    what = {"/v1/chat/completions": "chat", "/v1/embeddings": "embedding"}.get(path)
    return (WIRES["openai"], Question(what, model, streams, _wants_usage(body))) if what else None


def _wants_usage(body: Any) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _google(rest: str, query: str) -> tuple[Wire, Question] | None:
    model, _colon, method = rest.partition(":")
    if method == "streamGenerateContent":
        return WIRES["gemini" if "alt=sse" in query else "gemini_array"], Question("chat", model, stream=True)
    what = {"": "models", "generateContent": "chat", "embedContent": "embedding"}.get(method)
    return (WIRES["gemini"], Question(what, model)) if what else None


def _azure(path: str, question: Question) -> tuple[Wire, Question] | None:
    """`/openai/deployments/<model>/chat/completions`, or the newer `/openai/v1/…` with the model in the body."""
    model = path.split("/")[3] if path.startswith("/openai/deployments/") else question.model
    what = "chat" if path.endswith("/chat/completions") else "embedding" if path.endswith("/embeddings") else "models"
    return WIRES["azure"], Question(what, model, question.stream, question.usage)
