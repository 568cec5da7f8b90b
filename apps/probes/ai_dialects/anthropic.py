"""Anthropic's Messages API: typed events, and usage that comes in two halves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import HttpRequest
from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.base_urls import without_version
from apps.probes.ai.chat_completions import request
from apps.probes.ai.dialect import AI_DIALECTS, Ask, Delta, Dialect, EventReader, Finish, Reply, ToolCall, names_in
from apps.probes.ai.documents import believed, decoded_object, object_at, objects_in, text_in, tokens_in
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.refusals import problem_in
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail

API_VERSION = "2023-06-01"
# Models without structured output are made to call this tool; its arguments are the answer.
JSON_TOOL = "json_answer"
_ENDINGS = ("/v1/messages", "/v1/models", "/messages", "/models")
_FINISHES: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
# claude-opus-4-7, claude-sonnet-5, claude-3-5-haiku-20241022; a date is no version.
_FAMILY_FIRST = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_VERSION_FIRST = re.compile(r"claude-(\d)(?:[-.](\d))?-([a-z]+)")


class Model(NamedTuple):
    """What a name says: family and version; a version of (0, 0) is not known."""

    family: str
    version: tuple[int, int]


class Anthropic(Dialect):
    """`/v1/messages` and `/v1/models`, with `x-api-key` and the version of the API in headers."""

    name = "anthropic"
    label = _("Anthropic")
    default_base_url = "https://api.anthropic.com"
    status_page = "https://status.claude.com"

    def reasoning_allowance(self, model: str) -> int:
        # Asked for the least effort these mostly do not think about a short question, but they may.
        return 1_024 if _least_thinking(model_of(model)) == {} and model_of(model).version >= (5, 0) else 0

    def models_request(self, endpoint: Endpoint) -> HttpRequest:
        return self._request(endpoint, "/v1/models?limit=1000")

    def read_models(self, body: bytes) -> list[str]:
        models = decoded_object(body).get("data")
        if not isinstance(models, list):
            raise BadAnswer(Detail.NO_MODELS)
        return names_in([entry.get("id") for entry in objects_in(models, 5_000)])

    def chat_request(self, endpoint: Endpoint, ask: Ask) -> HttpRequest:
        model = model_of(endpoint.model)
        body: dict[str, Any] = {
            "model": endpoint.model,
            "max_tokens": ask.max_output_tokens + self.reasoning_allowance(endpoint.model),
            "messages": [{"role": "user", "content": ask.prompt}],
            "stream": ask.stream,
        }
        if ask.system:
            body["system"] = ask.system
        # From 4.7 on a temperature is refused.
        if ask.temperature is not None and model.version < (4, 7):
            body["temperature"] = ask.temperature
        if ask.tools:
            body["tools"] = [_tool(tool) for tool in ask.tools]
        # From 5 on a model thinks unless it is told not to.
        if model.version >= (5, 0):
            body |= {"output_config": {"effort": "low"}, **_least_thinking(model)}
        if ask.json_schema is not None:
            _ask_for_json(body, dict(ask.json_schema), model)
        return self._request(endpoint, "/v1/messages", body)

    def read_reply(self, body: bytes) -> Reply:
        document = decoded_object(body)
        problem = problem_in(document)
        if problem is not None:
            return Reply(problem=problem[0], detail=problem[1])
        content = document.get("content")
        blocks = objects_in(content)
        used = [block for block in blocks if block.get("type") == "tool_use"]
        answers = [block for block in used if block.get("name") == JSON_TOOL]
        calls = tuple(
            ToolCall(name=text_in(block.get("name")), arguments=_written(block.get("input")))
            for block in used
            if block not in answers
        )
        text = "".join(text_in(block.get("text")) for block in blocks if block.get("type") == "text")
        return Reply(
            text=text + "".join(_written(block.get("input")) for block in answers),
            reasoning="".join(text_in(block.get("thinking")) for block in blocks if block.get("type") == "thinking"),
            finish=_finish_of(document.get("stop_reason"), called=bool(calls)),
            usage=_usage_in(object_at(document, "usage")),
            tool_calls=calls,
            choices=1 if blocks or (content == [] and document.get("stop_reason")) else 0,
            model=text_in(document.get("model"))[:200],
        )

    def event_reader(self) -> EventReader:
        return _Events()

    def _request(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> HttpRequest:
        base = without_version(endpoint.base_url or self.default_base_url, endings=_ENDINGS)
        headers = {"anthropic-version": API_VERSION}
        if endpoint.api_key:
            headers["x-api-key"] = endpoint.api_key
        return request(f"{base}{path}", headers, body, verify_tls=endpoint.verify_tls)


class _Events(EventReader):
    """The events of one message. The tokens in are told at its start, those out at its end."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._in_json_tool = False
        self._called = False

    def read(self, name: str, data: bytes) -> Delta:
        event = decoded_object(data)
        kind = text_in(event.get("type")) or name
        problem = problem_in(event | {"type": kind})
        if problem is not None:
            return Delta(problem=problem[0], detail=problem[1], finish="error")
        if not kind:
            raise BadAnswer(Detail.NO_TYPE)
        readers = {
            "message_start": self._started,
            "content_block_start": self._began,
            "content_block_delta": self._went_on,
            "message_delta": self._ended,
            "message_stop": self._stopped,
        }
        # `ping`, the end of a block, and whatever is invented later add nothing.
        return readers[kind](event) if kind in readers else Delta()

    def _started(self, event: Mapping[str, Any]) -> Delta:
        self._remember(object_at(event, "message", "usage"))
        return Delta()

    def _stopped(self, event: Mapping[str, Any]) -> Delta:
        return Delta(ended=True)

    def _remember(self, usage: Mapping[str, Any]) -> None:
        self._usage |= {name: count for name, count in usage.items() if count is not None}

    def _began(self, event: Mapping[str, Any]) -> Delta:
        block = object_at(event, "content_block")
        kind, name = block.get("type"), text_in(block.get("name"))
        self._in_json_tool = kind == "tool_use" and name == JSON_TOOL
        if kind != "tool_use" or self._in_json_tool:
            return Delta(text=text_in(block.get("text")), reasoning=text_in(block.get("thinking")))
        self._called = True
        return Delta(tool_calls=(ToolCall(name=name),))

    def _went_on(self, event: Mapping[str, Any]) -> Delta:
        delta = object_at(event, "delta")
        written = text_in(delta.get("partial_json"))
        if written and self._in_json_tool:
            return Delta(text=written)
        return Delta(
            text=text_in(delta.get("text")),
            reasoning=text_in(delta.get("thinking")),
            tool_calls=(ToolCall(name="", arguments=written),) if written else (),
        )

    def _ended(self, event: Mapping[str, Any]) -> Delta:
        self._remember(object_at(event, "usage"))
        finish = _finish_of(object_at(event, "delta").get("stop_reason"), called=self._called)
        return Delta(finish=finish, usage=_usage_in(self._usage))


def model_of(name: str) -> Model:
    """Family and version out of an id, also behind a gateway's prefix."""
    lowered = name[:200].lower()
    found = _FAMILY_FIRST.search(lowered)
    if found:
        return Model(found[1], (int(found[2]), int(found[3] or 0)))
    found = _VERSION_FIRST.search(lowered)
    return Model(found[3], (int(found[1]), int(found[2] or 0))) if found else Model("", (0, 0))


def _least_thinking(model: Model) -> dict[str, Any]:
    """The parameter that keeps a model from thinking; none where it does not by itself, or cannot be kept from it."""
    if model == Model("sonnet", (5, 5)):
        return {"thinking": {"type": "between_tools"}}
    if model in (Model("opus", (5, 0)), Model("sonnet", (5, 0)), Model("haiku", (5, 5))):
        return {"thinking": {"type": "disabled"}}
    return {}


def _ask_for_json(body: dict[str, Any], schema: dict[str, Any], model: Model) -> None:
    """By structured output, or by a tool that has to be called where there is none."""
    if (0, 0) < model.version < (4, 5):
        tool = {"name": JSON_TOOL, "description": "Give the answer.", "input_schema": schema}
        body["tools"] = [*body.get("tools", []), tool]
        body["tool_choice"] = {"type": "tool", "name": JSON_TOOL}
    else:
        answer = {"format": {"type": "json_schema", "schema": schema}}
        body["output_config"] = body.get("output_config", {}) | answer


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    described = {name: tool[name] for name in ("name", "description") if name in tool}
    return described | {"input_schema": tool.get("parameters") or {"type": "object", "properties": {}}}


def _finish_of(said: Any, *, called: bool) -> Finish:
    if not isinstance(said, str) or not said:
        return ""
    finish = _FINISHES.get(said, "stop")
    return "stop" if finish == "tool_calls" and not called else finish


def _written(value: Any) -> str:
    return msgspec.json.encode(value if value is not None else {}).decode()


def _usage_in(usage: Mapping[str, Any]) -> Usage | None:
    """What was read from and written to the cache is not among the input tokens, but is paid for."""
    read = tokens_in(usage.get("cache_read_input_tokens")) or 0
    kept = tokens_in(usage.get("cache_creation_input_tokens")) or 0
    into = tokens_in(usage.get("input_tokens"))
    thought = object_at(usage, "output_tokens_details").get("thinking_tokens", 0)
    if into is None:
        return None
    return believed(into + read + kept, usage.get("output_tokens"), cached=read, reasoning=thought)


AI_DIALECTS.add("anthropic", Anthropic())
