"""The protocol of chat completions: OpenAI's, and that of everybody who followed it.

Whoever enters a base URL that ends in `/responses` is asked by the Responses API instead, which reads as well.

A dialect of it says where the API lives, how a key is sent and which parameters it takes; the answers read the same.
Reading is lenient where servers are known to differ, and strict where a difference would hide a fault.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from apps.core.details import Words, words
from apps.core.outbound.exchange import HttpRequest
from apps.probes.ai.base_urls import with_version, without_endings
from apps.probes.ai.dialect import Ask, BadAnswer, Delta, Dialect, EventReader, Finish, Reply, ToolCall, names_in
from apps.probes.ai.documents import (
    believed,
    decoded,
    decoded_object,
    object_at,
    objects_in,
    readable,
    text_in,
    tokens_in,
    vector_length,
)
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.openai_models import effort_of
from apps.probes.ai.refusals import problem_in
from apps.probes.ai.responses import RESPONSES, ResponseEvents, body_of, is_event, is_response, read_response
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail
from apps.probes.reasons import Reason

CHAT, EMBEDDINGS, MODELS = "/chat/completions", "/embeddings", "/models"
_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "error": "error",
    "abort": "error",
    "insufficient_system_resource": "error",
}
# How a model is refused that is asked by the Responses API only: OpenAI, and Azure.
_ANOTHER_WAY = re.compile(
    r"v1/responses|responses api|not a chat model|chatcompletions? operation does not work", re.IGNORECASE
)
_BROKEN_OFF = {"insufficient_system_resource": Reason.OVERLOADED}


class ChatCompletions(Dialect):
    """Everything but a name. Subclasses change what is named in the class variables, or override the small methods.

    A model that is OpenAI's by its name is told to reason as little as it can, also behind a gateway.
    """

    # The parameter that bounds the answer: OpenAI renamed its own, everybody else kept the old one.
    token_limit: ClassVar[str] = "max_tokens"  # noqa: S105 - a name of a parameter
    bare_hosts: ClassVar[tuple[str, ...]] = ()

    def url(self, endpoint: Endpoint, path: str) -> str:
        """Where `path` of the API is for this model."""
        base = endpoint.base_url or self.default_base_url
        endings = (CHAT, EMBEDDINGS, MODELS, RESPONSES)
        return with_version(base, "v1", endings=endings, bare_hosts=self.bare_hosts) + path

    def asks_for_responses(self, endpoint: Endpoint) -> bool:
        """Whether this model is asked by the Responses API."""
        return without_endings(endpoint.base_url, ()).endswith(RESPONSES)

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """Those of every request; the key is in no other place."""
        return {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}

    def reasoning_allowance(self, model: str) -> int:
        effort = effort_of(model)
        return effort.tokens if effort is not None else 0

    def models_request(self, endpoint: Endpoint) -> HttpRequest:
        return request(self.url(endpoint, MODELS), self.headers(endpoint), verify_tls=endpoint.verify_tls)

    def read_models(self, body: bytes) -> list[str]:
        document = decoded(body)
        if isinstance(document, dict):
            document = document.get("data", document.get("models"))
        if not isinstance(document, list):
            raise BadAnswer(Detail.NO_MODELS)
        names = [entry.get("id") or entry.get("name") if isinstance(entry, dict) else entry for entry in document]
        return names_in(names)

    def chat_request(self, endpoint: Endpoint, ask: Ask) -> HttpRequest:
        limit = ask.max_output_tokens + self.reasoning_allowance(endpoint.model)
        is_other = self.asks_for_responses(endpoint)
        body = body_of(endpoint.model, ask, limit, effort_of(endpoint.model)) if is_other else self._body(endpoint, ask)
        accept = "text/event-stream" if ask.stream else "application/json"
        url = self.url(endpoint, RESPONSES if is_other else CHAT)
        return request(url, self.headers(endpoint), body, accept=accept, verify_tls=endpoint.verify_tls)

    def _body(self, endpoint: Endpoint, ask: Ask) -> dict[str, Any]:
        limit = ask.max_output_tokens + self.reasoning_allowance(endpoint.model)
        body: dict[str, Any] = {
            "model": endpoint.model,
            "messages": _messages(ask),
            self.token_limit: limit,
        }
        effort = effort_of(endpoint.model)
        if effort is not None and effort.sent:
            body["reasoning_effort"] = effort.sent
        if ask.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if ask.temperature is not None and (effort is None or effort.takes_temperature):
            body["temperature"] = ask.temperature
        if ask.tools:
            body["tools"] = [{"type": "function", "function": dict(tool)} for tool in ask.tools]
        if ask.json_schema is not None:
            schema = {"name": "answer", "schema": dict(ask.json_schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def read_reply(self, body: bytes) -> Reply:
        if is_response(body):
            return read_response(body)
        document = decoded_object(body)
        problem = problem_in(document)
        choices = objects_in(document.get("choices"))
        if problem is not None:
            return Reply(problem=problem[0], detail=problem[1], choices=len(choices))
        choice = choices[0] if choices else {}
        message = object_at(choice, "message")
        text = text_in(message.get("content"))
        calls = tool_calls_in(message)
        problem_found, word = broken_off(choice.get("finish_reason"))
        refused = readable(text_in(message.get("refusal")))
        return Reply(
            text=text,
            reasoning=reasoning_in(message),
            finish="content_filter" if refused and not text else finish_of(choice.get("finish_reason")),
            usage=usage_in(document.get("usage")),
            tool_calls=calls,
            choices=len(choices),
            model=text_in(document.get("model"))[:200],
            problem=problem_found,
            detail=refused or word,
        )

    def event_reader(self) -> EventReader:
        return _EitherEvents()

    def explained(self, reason: Reason, said: str) -> Words | None:
        is_other_way = reason is Reason.BAD_REQUEST and _ANOTHER_WAY.search(said)
        return words(Detail.ANOTHER_API, said=said) if is_other_way else None

    def embedding_request(self, endpoint: Endpoint, text: str) -> HttpRequest | None:
        body = {"model": endpoint.model, "input": text}
        return request(self.url(endpoint, EMBEDDINGS), self.headers(endpoint), body, verify_tls=endpoint.verify_tls)

    def read_embedding(self, body: bytes) -> tuple[int, Usage | None]:
        document = decoded_object(body)
        vectors = objects_in(document.get("data"))
        usage = object_at(document, "usage")
        counted = believed(usage.get("prompt_tokens", usage.get("total_tokens")), 0)
        vector = vectors[0].get("embedding") if vectors else None
        return (_packed_length(vector) if isinstance(vector, str) else vector_length(vector)), counted


class _EitherEvents(EventReader):
    """Of a stream in either way: its first event says which it is."""

    def __init__(self) -> None:
        self._reader: EventReader | None = None

    def read(self, name: str, data: bytes) -> Delta:
        if self._reader is None:
            self._reader = ResponseEvents() if is_event(name, data) or is_response(data) else ChatEvents()
        return self._reader.read(name, data)


class _PlainDelta(msgspec.Struct):
    content: str
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None


class _PlainChoice(msgspec.Struct):
    delta: _PlainDelta
    finish_reason: None = None
    message: None = None


class _PlainChunk(msgspec.Struct):
    """A chunk that adds a piece of the answer and says nothing else, as nearly all of them do."""

    choices: tuple[_PlainChoice]
    usage: None = None
    error: None = None
    type: None = None
    object: Literal["chat.completion.chunk"] | None = None


_plain = msgspec.json.Decoder(_PlainChunk)


class ChatEvents(EventReader):
    """The chunks of one stream: `choices[0].delta`, usage in the last of them, then `[DONE]`."""

    def read(self, name: str, data: bytes) -> Delta:
        try:
            return Delta(text=_plain.decode(data).choices[0].delta.content)
        except (ValueError, RecursionError):
            return self._read_any(data)

    def _read_any(self, data: bytes) -> Delta:
        """Whatever else a chunk may be."""
        if data.strip() == b"[DONE]":
            return Delta(ended=True)
        document = decoded_object(data)
        problem = problem_in(document)
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error")
        choices = objects_in(document.get("choices"))
        if not isinstance(document.get("choices"), list) and "usage" not in document:
            raise BadAnswer(Detail.NO_PART)
        usage = usage_in(document.get("usage"))
        # Chunks without a choice carry the usage, or what a filter thinks of the prompt.
        choice = choices[0] if choices else {}
        if choices and "delta" not in choice and "finish_reason" not in choice:
            raise BadAnswer(Detail.EMPTY_CHOICE)
        if "message" in choice:
            raise BadAnswer(Detail.WHOLE_ANSWER)
        delta = object_at(choice, "delta")
        text = text_in(delta.get("content"))
        refused = readable(text_in(delta.get("refusal")))
        problem_found, word = broken_off(choice.get("finish_reason"))
        return Delta(
            text=text,
            reasoning=reasoning_in(delta),
            tool_calls=tool_calls_in(delta),
            finish="content_filter" if refused else finish_of(choice.get("finish_reason")),
            usage=usage,
            problem=problem_found,
            detail=refused or word,
        )


def request(
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
    *,
    accept: str = "application/json",
    verify_tls: bool = True,
) -> HttpRequest:
    """A question in JSON, or a plain one. No redirect is followed: a key goes only where it was meant to go."""
    if body is None:
        return HttpRequest(url=url, headers={"Accept": accept, **headers}, verify_tls=verify_tls)
    return HttpRequest(
        url=url,
        method="POST",
        headers={"Accept": accept, "Content-Type": "application/json", **headers},
        body=msgspec.json.encode(body),
        verify_tls=verify_tls,
    )


def finish_of(said: Any) -> Finish:
    """Why an answer ended, in our words; a word of their own for an ordinary end counts as one."""
    if not isinstance(said, str) or not said:
        return ""
    return _FINISHES.get(said.lower(), "stop")


def broken_off(said: Any) -> tuple[Reason | None, str]:
    """The reason of an answer that the server itself broke off, and its word for it; None for any other end."""
    if finish_of(said) != "error":
        return None, ""
    return _BROKEN_OFF.get(said.lower(), Reason.MALFORMED_ANSWER), readable(f"finish_reason {said}")


def reasoning_in(message: Mapping[str, Any]) -> str:
    """What was thought before the answer, by either of the names compatible servers give it."""
    return text_in(message.get("reasoning_content")) or text_in(message.get("reasoning"))


def tool_calls_in(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Calls, or pieces of them in a stream: a piece without a name goes on with the call before it."""
    found = []
    for call in objects_in(message.get("tool_calls"), 100):
        function = object_at(call, "function")
        arguments = function.get("arguments")
        # Some servers send the arguments as the object they are.
        written = (
            arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode() if arguments else ""
        )
        found.append(ToolCall(name=text_in(function.get("name")), arguments=written))
    return tuple(call for call in found if call.name or call.arguments)


def usage_in(said: Any) -> Usage | None:
    """The usage of a completion; None when there is none, or none to be believed."""
    into, out = object_at(said).get("prompt_tokens"), object_at(said).get("completion_tokens")
    reasoning = object_at(said, "completion_tokens_details").get("reasoning_tokens")
    cached = object_at(said, "prompt_tokens_details").get(
        "cached_tokens", object_at(said).get("prompt_cache_hit_tokens")
    )
    reasoned, written = tokens_in(reasoning) or 0, tokens_in(out)
    if written is not None and _is_apart(object_at(said), written, reasoned):
        out = written + reasoned
    return believed(into, out, cached=cached, reasoning=reasoned)


def _is_apart(usage: Mapping[str, Any], written: int, reasoned: int) -> bool:
    """Whether the reasoning is not counted among the tokens out: then the total tells, or there is more of it."""
    into, total = tokens_in(usage.get("prompt_tokens")) or 0, tokens_in(usage.get("total_tokens"))
    return reasoned > 0 and (reasoned > written or total == into + written + reasoned)


def _messages(ask: Ask) -> list[dict[str, str]]:
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    return [*system, {"role": "user", "content": ask.prompt}]


def _packed_length(vector: str) -> int:
    """The dimensions of an embedding sent as base64 of 32-bit numbers."""
    try:
        packed = base64.b64decode(vector, validate=True)
    except (binascii.Error, ValueError):
        raise BadAnswer(Detail.UNREADABLE_EMBEDDING) from None
    if not packed or len(packed) % 4:
        raise BadAnswer(Detail.UNREADABLE_EMBEDDING)
    return len(packed) // 4
