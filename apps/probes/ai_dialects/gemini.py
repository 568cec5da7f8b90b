"""Google's Gemini API: `generateContent`, streamed as server-sent events or as one JSON array."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import HttpRequest
from apps.probes.ai import headroom
from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.base_urls import in_path, with_version
from apps.probes.ai.chat_completions import request
from apps.probes.ai.dialect import AI_DIALECTS, Ask, Delta, Dialect, EventReader, Finish, Reply, ToolCall, names_in
from apps.probes.ai.documents import (
    believed,
    decoded_if_json,
    decoded_object,
    object_at,
    objects_in,
    readable,
    text_in,
    tokens_in,
    vector_length,
)
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.refusals import problem_in
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail
from apps.probes.reasons import Reason

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?-")
_FILTERED = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})
_BROKEN = frozenset({"OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"})
# One of these is in everything it sends.
_FIELDS = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId"})
_COLLECTIONS = ("models/", "tunedModels/")


class Thinking(NamedTuple):
    """`thinkingConfig` as to be sent (empty: it is refused), and the tokens it may still take before an answer."""

    config: Mapping[str, Any]
    tokens: int = 0


class Gemini(Dialect):
    """The key goes into a header, never into the address. Either framing of a stream is read: the framer tells."""

    name = "gemini"
    label = _("Google Gemini")
    default_base_url = "https://generativelanguage.googleapis.com/v1beta"
    # That of all of Google's cloud: of it, what serves these models.
    status_page = "https://status.cloud.google.com"
    status_components = ("Vertex Gemini API",)

    def reasoning_allowance(self, model: str) -> int:
        return thinking_of(model).tokens

    def models_request(self, endpoint: Endpoint) -> HttpRequest:
        return self._request(endpoint, "models?pageSize=1000")

    def read_models(self, body: bytes) -> list[str]:
        models = decoded_object(body).get("models")
        if not isinstance(models, list):
            raise BadAnswer(Detail.NO_MODELS)
        names = [text_in(entry.get("name")).removeprefix("models/") for entry in objects_in(models, 5_000)]
        return names_in(names)

    def offers(self, names: Sequence[str], model: str) -> bool:
        # Tuned models have a list of their own.
        return model.removeprefix("models/") in names or model.startswith("tunedModels/")

    def chat_request(self, endpoint: Endpoint, ask: Ask) -> HttpRequest:
        thinking = thinking_of(endpoint.model)
        config: dict[str, Any] = {"maxOutputTokens": ask.max_output_tokens + thinking.tokens}
        if thinking.config:
            config["thinkingConfig"] = dict(thinking.config)
        if ask.temperature is not None:
            config["temperature"] = ask.temperature
        if ask.json_schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": dict(ask.json_schema)}
        body: dict[str, Any] = {
            "contents": [{"role": "user", "parts": [{"text": ask.prompt}]}],
            "generationConfig": config,
        }
        if ask.system:
            body["systemInstruction"] = {"parts": [{"text": ask.system}]}
        if ask.tools:
            body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in ask.tools]}]
        method = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
        return self._request(endpoint, f"{_path_of(endpoint.model)}:{method}", body)

    def read_reply(self, body: bytes) -> Reply:
        document = decoded_object(body)
        problem = problem_in(document)
        if problem is not None:
            return Reply(problem=problem[0], detail=problem[1])
        read = _read(document)
        return Reply(
            text=read.text,
            reasoning=read.reasoning,
            finish=read.finish,
            usage=_usage_in(document),
            tool_calls=read.tool_calls,
            choices=len(objects_in(document.get("candidates"))),
            model=text_in(document.get("modelVersion"))[:200],
            problem=read.problem,
            detail=read.detail,
        )

    def event_reader(self) -> EventReader:
        return _Chunks()

    def embedding_request(self, endpoint: Endpoint, text: str) -> HttpRequest | None:
        return self._request(
            endpoint, f"{_path_of(endpoint.model)}:embedContent", {"content": {"parts": [{"text": text}]}}
        )

    def read_embedding(self, body: bytes) -> tuple[int, Usage | None]:
        document = decoded_object(body)
        counted = believed(object_at(document, "usageMetadata").get("promptTokenCount"), 0)
        return vector_length(object_at(document, "embedding").get("values")), counted

    def retry_after(self, headers: Mapping[str, str], body: bytes) -> float | None:
        told = headroom.retry_after_seconds(headers)
        if told is not None:
            return told
        document = decoded_if_json(body)
        root = document[0] if isinstance(document, list) and document else document
        details = objects_in(object_at(root, "error").get("details"), 20)
        delays = [text_in(entry.get("retryDelay")) for entry in details]
        return next((headroom.seconds_until(delay, None) for delay in delays if delay), None)

    def _request(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> HttpRequest:
        base = with_version(endpoint.base_url or self.default_base_url, "v1beta", endings=("/models", "/openai"))
        headers = {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}
        return request(f"{base}/{path}", headers, body, verify_tls=endpoint.verify_tls)


class _Chunks(EventReader):
    """Each event is a whole response with what was added; the one that says why it ended is the last."""

    def __init__(self) -> None:
        self._called = False

    def read(self, name: str, data: bytes) -> Delta:
        document = decoded_object(data)
        problem = problem_in(document)
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error")
        if not (_FIELDS & document.keys()):
            raise BadAnswer(Detail.NO_PART)
        read = _read(document)
        self._called = self._called or bool(read.tool_calls)
        ended = bool(read.finish)
        return Delta(
            text=read.text,
            reasoning=read.reasoning,
            tool_calls=read.tool_calls,
            finish="tool_calls" if self._called and read.finish == "stop" else read.finish,
            # Before the end the counts are of what came so far.
            usage=_usage_in(document) if ended else None,
            ended=ended,
            problem=read.problem,
            detail=read.detail,
        )


def thinking_of(model: str) -> Thinking:
    """How little this model can be made to think: by level from Gemini 3 on, by a budget of tokens in 2.5."""
    name = model[:200].lower().rpartition("/")[2]
    if not name.startswith("gemini-") or re.search(r"image|tts|embedding|live|audio", name):
        return Thinking({})
    if name in ("gemini-flash-latest", "gemini-pro-latest"):
        return Thinking({"thinkingLevel": "low"}, 512)
    found = _VERSION.match(name)
    if found is None:
        return Thinking({})
    version = (int(found[1]), int(found[2] or 0))
    if version >= (3, 0):
        # From 3.7 on only the lite ones go below "low"; the pro ones never did.
        at_least_low = "pro" in name or (version >= (3, 7) and "lite" not in name)
        return Thinking({"thinkingLevel": "low"}, 512) if at_least_low else Thinking({"thinkingLevel": "minimal"}, 128)
    if version == (2, 5):
        return Thinking({"thinkingBudget": 128}, 256) if "pro" in name else Thinking({"thinkingBudget": 0})
    return Thinking({})


class _Read(NamedTuple):
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finish: Finish
    problem: Reason | None
    detail: str


def _read(document: Mapping[str, Any]) -> _Read:
    """The first candidate of a response, or why there is none."""
    blocked = text_in(object_at(document, "promptFeedback").get("blockReason"))
    if blocked and blocked != "BLOCK_REASON_UNSPECIFIED":
        detail = readable(f"blockReason {blocked}")
        return _Read("", "", (), "content_filter", Reason.CONTENT_FILTERED, detail)
    candidate = next(iter(objects_in(document.get("candidates"))), {})
    parts = objects_in(object_at(candidate, "content").get("parts"))
    calls = tuple(_call(part["functionCall"]) for part in parts if isinstance(part.get("functionCall"), dict))
    said = text_in(candidate.get("finishReason"))
    finish = _finish_of(said, called=bool(calls))
    return _Read(
        text="".join(text_in(part.get("text")) for part in parts if part.get("thought") is not True),
        reasoning="".join(text_in(part.get("text")) for part in parts if part.get("thought") is True),
        tool_calls=calls,
        finish=finish,
        problem=Reason.MALFORMED_ANSWER if finish == "error" else None,
        detail=readable(f"finishReason {said}") if finish in ("error", "content_filter") else "",
    )


def _finish_of(said: str, *, called: bool) -> Finish:
    if not said or said == "FINISH_REASON_UNSPECIFIED":
        return ""
    if said in _FILTERED or said.startswith("IMAGE_"):
        return "content_filter"
    if said in _BROKEN:
        return "error"
    if said == "MAX_TOKENS":
        return "length"
    return "tool_calls" if called else "stop"


def _call(call: Mapping[str, Any]) -> ToolCall:
    return ToolCall(name=text_in(call.get("name")), arguments=msgspec.json.encode(call.get("args") or {}).decode())


def _usage_in(document: Mapping[str, Any]) -> Usage | None:
    """Thoughts are counted apart from the answer, and what a tool was given apart from the prompt."""
    said = object_at(document, "usageMetadata")
    thoughts, tools = (
        tokens_in(said.get("thoughtsTokenCount")) or 0,
        tokens_in(said.get("toolUsePromptTokenCount")) or 0,
    )
    into, out = tokens_in(said.get("promptTokenCount")), tokens_in(said.get("candidatesTokenCount", 0))
    if into is None or out is None:
        return None
    return believed(into + tools, out + thoughts, cached=said.get("cachedContentTokenCount", 0), reasoning=thoughts)


def _declaration(tool: Mapping[str, Any]) -> dict[str, Any]:
    declared = {name: tool[name] for name in ("name", "description") if name in tool}
    return declared | ({"parametersJsonSchema": tool["parameters"]} if tool.get("parameters") else {})


def _path_of(model: str) -> str:
    """`models/{name}`; a tuned model brings its own collection."""
    collection = next((prefix for prefix in _COLLECTIONS if model.startswith(prefix)), "")
    return (collection or "models/") + in_path(model.removeprefix(collection))


AI_DIALECTS.add("gemini", Gemini())
