"""The Responses API: OpenAI's second way to ask, and the only one for some of its models.

An answer of it says what it is, as do its events, so whoever reads needs not know which way was asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.dialect import Ask, Delta, EventReader, Finish, Reply, ToolCall
from apps.probes.ai.documents import believed, decoded_object, object_at, objects_in, readable, text_in
from apps.probes.ai.openai_models import Effort
from apps.probes.ai.refusals import problem_in
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail
from apps.probes.reasons import Reason

RESPONSES = "/responses"
# It refuses a smaller limit.
_LEAST_TOKENS = 16
# Servers that stand in for it leave the reason out where it is our limit.
_FINISHES: dict[str, Finish] = {
    "": "length",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_BROKEN_OFF = frozenset({"failed", "cancelled"})
# In a text of JSON the quotes would be escaped, so these are no words of a model.
_ANSWER = re.compile(rb'"object":\s*"response"')
_EVENT = re.compile(rb'"type":\s*"response\.')


def is_response(body: bytes) -> bool:
    """Whether a complete answer is one of this API."""
    return _ANSWER.search(body) is not None


def is_event(name: str, data: bytes) -> bool:
    """Whether an event of a stream is one of this API."""
    return name.startswith("response.") or _EVENT.search(data) is not None


def body_of(model: str, ask: Ask, limit: int, effort: Effort | None) -> dict[str, Any]:
    """The body of one question. Nothing of it is kept by the provider (`store`)."""
    body: dict[str, Any] = {
        "model": model,
        "input": ask.prompt,
        "max_output_tokens": max(limit, _LEAST_TOKENS),
        "store": False,
        "stream": ask.stream,
    }
    if ask.system:
        body["instructions"] = ask.system
    if effort is not None and effort.sent:
        body["reasoning"] = {"effort": effort.sent}
    if ask.temperature is not None and (effort is None or effort.takes_temperature):
        body["temperature"] = ask.temperature
    if ask.tools:
        body["tools"] = [{"type": "function", "strict": False, **tool} for tool in ask.tools]
    if ask.json_schema is not None:
        # Without `strict` any schema is taken, as chat completions take it.
        answer = {"type": "json_schema", "name": "answer", "schema": dict(ask.json_schema), "strict": False}
        body["text"] = {"format": answer}
    return body


def read_response(body: bytes) -> Reply:
    """A complete answer. Raises BadAnswer."""
    document = decoded_object(body)
    problem = problem_in(document)
    if problem is not None:
        return Reply(problem=problem[0], detail=problem[1])
    items = objects_in(document.get("output"))
    parts = [part for item in items if item.get("type") == "message" for part in objects_in(item.get("content"))]
    calls = tuple(_call(item) for item in items if item.get("type") == "function_call")
    text = "".join(text_in(part.get("text")) for part in parts if part.get("type") == "output_text")
    refused = readable("".join(text_in(part.get("refusal")) for part in parts))
    finish = "content_filter" if refused and not text else _finish_of(document, called=bool(calls))
    return Reply(
        text=text,
        reasoning="".join(_thought(item) for item in items if item.get("type") == "reasoning"),
        finish=finish,
        usage=_usage_in(document),
        tool_calls=calls,
        choices=1 if items or finish in ("length", "content_filter") else 0,
        model=text_in(document.get("model"))[:200],
        problem=Reason.MALFORMED_ANSWER if finish == "error" else None,
        detail=refused or (_ending(document) if finish == "error" else ""),
    )


class ResponseEvents(EventReader):
    """The typed events of one answer; the last of them holds all of it again, with why it ended and what it took."""

    def __init__(self) -> None:
        self._called = False
        self._refused = False

    def read(self, name: str, data: bytes) -> Delta:
        if data.strip() == b"[DONE]":
            return Delta(ended=True)
        event = decoded_object(data)
        kind = text_in(event.get("type")) or name
        problem = problem_in(event | {"type": kind})
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error")
        if event.get("object") == "response":
            raise BadAnswer(Detail.WHOLE_ANSWER)
        if not kind:
            raise BadAnswer(Detail.NO_TYPE)
        said = text_in(event.get("delta"))
        if kind == "response.output_text.delta":
            return Delta(text=said)
        if kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            return Delta(reasoning=said)
        return self._read_rarer(kind, event, said)

    def _read_rarer(self, kind: str, event: Mapping[str, Any], said: str) -> Delta:
        item = object_at(event, "item")
        if kind == "response.function_call_arguments.delta":
            return Delta(tool_calls=(ToolCall(name="", arguments=said),) if said else ())
        if kind == "response.output_item.added" and item.get("type") == "function_call":
            self._called = True
            return Delta(tool_calls=(ToolCall(name=text_in(item.get("name"))),))
        if kind == "response.refusal.delta":
            self._refused = True
            return Delta(finish="content_filter")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            return self._ended(object_at(event, "response"), is_failed=kind == "response.failed")
        # Beginnings and ends of parts, annotations, and whatever is invented later add nothing.
        return Delta()

    def _ended(self, document: Mapping[str, Any], *, is_failed: bool) -> Delta:
        problem = problem_in(document)
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error", ended=True)
        finish = "error" if is_failed else _finish_of(document, called=self._called)
        if self._refused and finish == "stop":
            finish = "content_filter"
        return Delta(
            finish=finish,
            usage=_usage_in(document),
            ended=True,
            problem=Reason.MALFORMED_ANSWER if finish == "error" else None,
            detail=_ending(document) if finish == "error" else "",
        )


def _finish_of(document: Mapping[str, Any], *, called: bool) -> Finish:
    status = document.get("status")
    if status == "incomplete":
        return _FINISHES.get(text_in(object_at(document, "incomplete_details").get("reason")), "error")
    if status in _BROKEN_OFF:
        return "error"
    return "tool_calls" if called else "stop"


def _ending(document: Mapping[str, Any]) -> str:
    """The provider's words for an end that is none."""
    reason = text_in(object_at(document, "incomplete_details").get("reason"))
    return readable(f"status {text_in(document.get('status')) or '?'}" + (f", reason {reason}" if reason else ""))


def _call(item: Mapping[str, Any]) -> ToolCall:
    return ToolCall(name=text_in(item.get("name")), arguments=text_in(item.get("arguments")))


def _thought(item: Mapping[str, Any]) -> str:
    """What a model tells of its thinking: a summary, or all of it where the model is an open one."""
    return text_in(item.get("content")) or text_in(item.get("summary"))


def _usage_in(document: Mapping[str, Any]) -> Usage | None:
    usage = object_at(document, "usage")
    return believed(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        cached=object_at(usage, "input_tokens_details").get("cached_tokens"),
        reasoning=object_at(usage, "output_tokens_details").get("reasoning_tokens"),
    )
