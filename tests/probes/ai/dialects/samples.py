"""What each dialect's servers send, in their documented shapes. Tests of one dialect and of all of them read these."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.probes.ai.dialect import Delta, Dialect, Finish, Reply, ToolCall, join_calls
from apps.probes.ai.framing import Framer
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason

KEY = "sk-sesame-0123456789abcdef"
TEXT = "OK — 확인 🙂"
HALVES = ("OK — 확", "인 🙂")


def as_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def sse(*events: Any, end: str = "\n", names: bool = False) -> bytes:
    """Events as a server sends them; a text stays as it is, anything else becomes JSON."""
    lines = []
    for event in events:
        if names and isinstance(event, dict):
            lines.append(f"event: {event['type']}")
        lines += [f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}", ""]
    return "".join(line + end for line in lines).encode()


def json_lines(*documents: Any) -> bytes:
    return b"".join(as_json(document) + b"\n" for document in documents)


def chunk(delta: Mapping[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of chat completions; without a delta one without choices."""
    choices = [] if delta is None else [{"index": 0, "delta": dict(delta), "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


def anthropic_delta(**delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def candidate(*parts: Mapping[str, Any], finish: str = "", **more: Any) -> dict[str, Any]:
    """One response of Gemini."""
    said: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {"candidates": [said | ({"finishReason": finish} if finish else {})], **more}


@dataclass(frozen=True)
class Heard:
    """A whole stream, put together."""

    text: str
    reasoning: str
    finish: Finish
    usage: Usage | None
    tool_calls: tuple[ToolCall, ...]
    ended: bool
    problem: Reason | None


@dataclass(frozen=True)
class Sample:
    """A stream of one dialect and what it says; a complete answer with the same; a list of models with `model`."""

    stream: bytes
    heard: Heard
    reply: bytes
    models: bytes
    model: str
    base_url: str


def heard(text: str = TEXT, finish: Finish = "stop", **more: Any) -> Heard:
    given = {"reasoning": "", "usage": None, "tool_calls": (), "ended": True, "problem": None} | more
    return Heard(text=text, finish=finish, **given)


def said(reply: Reply, usage: Usage | None = None) -> Heard:
    """A complete answer, to be compared with a stream."""
    return Heard(
        text=reply.text,
        reasoning=reply.reasoning,
        finish=reply.finish,
        usage=usage or reply.usage,
        tool_calls=reply.tool_calls,
        ended=True,
        problem=reply.problem,
    )


def hear(dialect: Dialect, chunks: Iterable[bytes]) -> Heard:
    """Read a stream in these chunks as a listener does."""
    framer, reader = Framer(dialect.framing), dialect.event_reader()
    events = [event for part in chunks for event in framer.feed(part)]
    return put_together([reader.read(name, data) for name, data in [*events, *framer.finish()]])


def put_together(deltas: list[Delta]) -> Heard:
    return Heard(
        text="".join(delta.text for delta in deltas),
        reasoning="".join(delta.reasoning for delta in deltas),
        finish=next((delta.finish for delta in reversed(deltas) if delta.finish), ""),
        usage=next((delta.usage for delta in reversed(deltas) if delta.usage), None),
        tool_calls=join_calls([call for delta in deltas for call in delta.tool_calls]),
        ended=any(delta.ended for delta in deltas),
        problem=next((delta.problem for delta in deltas if delta.problem), None),
    )


USAGE = Usage(tokens_in=20, tokens_out=9, tokens_cached=4, tokens_reasoning=3)
CALL = ToolCall(name="weather", arguments='{"city":"서울"}')
_OPENAI_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
_OPENAI_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": CALL.arguments}}
OPENAI_STREAM = sse(
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "hm"}),
    chunk({"content": HALVES[0]}),
    chunk({"content": HALVES[1]}),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"서울"}'}}]}),
    chunk({}, "tool_calls"),
    chunk(None, usage=_OPENAI_USAGE),
    "[DONE]",
)
OPENAI_HEARD = heard(reasoning="hm", finish="tool_calls", usage=USAGE, tool_calls=(CALL,))
OPENAI_REPLY = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": TEXT,
                "reasoning_content": "hm",
                "tool_calls": [_OPENAI_CALL],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": _OPENAI_USAGE,
}
_OPENAI_MODELS = as_json({"object": "list", "data": [{"id": "m-2"}, {"id": "m-1", "object": "model"}]})

_ANTHROPIC_USAGE = {"input_tokens": 6, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 4}
_ANTHROPIC_OUT = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3}}
ANTHROPIC_STREAM = b": welcome\n\n" + sse(
    {"type": "message_start", "message": {"model": "m", "usage": _ANTHROPIC_USAGE | {"output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "ping"},
    anthropic_delta(type="thinking_delta", thinking="hm"),
    anthropic_delta(type="signature_delta", signature="c2ln"),
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    anthropic_delta(type="text_delta", text=HALVES[0]),
    anthropic_delta(type="text_delta", text=HALVES[1]),
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "name": "weather", "input": {}}},
    anthropic_delta(type="input_json_delta", partial_json=""),
    anthropic_delta(type="input_json_delta", partial_json='{"city":'),
    anthropic_delta(type="input_json_delta", partial_json='"서울"}'),
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": _ANTHROPIC_OUT},
    {"type": "message_stop"},
    names=True,
)
ANTHROPIC_REPLY = {
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": TEXT},
        {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "서울"}},
    ],
    "stop_reason": "tool_use",
    "usage": _ANTHROPIC_USAGE | _ANTHROPIC_OUT,
}

_GEMINI_USAGE = {
    "promptTokenCount": 20,
    "candidatesTokenCount": 6,
    "thoughtsTokenCount": 3,
    "cachedContentTokenCount": 4,
    "totalTokenCount": 29,
}
_GEMINI_CALL = {"functionCall": {"name": "weather", "args": {"city": "서울"}}}
GEMINI_EVENTS = (
    candidate({"text": "hm", "thought": True}, usageMetadata={"promptTokenCount": 20}),
    candidate({"text": HALVES[0]}, usageMetadata={"promptTokenCount": 20, "candidatesTokenCount": 2}),
    candidate({"text": HALVES[1]}, _GEMINI_CALL),
    candidate({"text": ""}, finish="STOP", usageMetadata=_GEMINI_USAGE),
)
GEMINI_ARRAY = b"[" + b"\n,\r\n".join(as_json(event) for event in GEMINI_EVENTS) + b"\n]\n"
GEMINI_REPLY = candidate(
    {"text": "hm", "thought": True},
    {"text": TEXT},
    _GEMINI_CALL,
    finish="STOP",
    usageMetadata=_GEMINI_USAGE,
    modelVersion="m",
)

_OLLAMA_COUNTS = {"prompt_eval_count": 20, "eval_count": 9, "total_duration": 5}
_OLLAMA_CALL = {"function": {"name": "weather", "arguments": {"city": "서울"}}}
OLLAMA_STREAM = json_lines(
    {"model": "m", "message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": HALVES[0]}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": HALVES[1]}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": "", "tool_calls": [_OLLAMA_CALL]}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    | _OLLAMA_COUNTS,
)
OLLAMA_REPLY = {
    "model": "m",
    "message": {"role": "assistant", "content": TEXT, "thinking": "hm", "tool_calls": [_OLLAMA_CALL]},
    "done": True,
    "done_reason": "stop",
} | _OLLAMA_COUNTS
OLLAMA_USAGE = Usage(tokens_in=20, tokens_out=9)


def _openai_sample(base_url: str) -> Sample:
    return Sample(OPENAI_STREAM, OPENAI_HEARD, as_json(OPENAI_REPLY), _OPENAI_MODELS, "m-1", base_url)


# One line a dialect. A new one adds its own.
SAMPLES: dict[str, Sample] = {
    "openai": _openai_sample("https://api.example.com/v1"),
    "openai_compatible": _openai_sample("http://127.0.0.1:9"),
    "azure": _openai_sample("https://example.openai.azure.com"),
    "anthropic": Sample(
        ANTHROPIC_STREAM,
        OPENAI_HEARD,
        as_json(ANTHROPIC_REPLY),
        as_json({"data": [{"type": "model", "id": "m-2"}, {"type": "model", "id": "m-1"}], "has_more": False}),
        "m-1",
        "https://api.example.com",
    ),
    "gemini": Sample(
        sse(*GEMINI_EVENTS, end="\r\n"),
        OPENAI_HEARD,
        as_json(GEMINI_REPLY),
        as_json({"models": [{"name": "models/m-2"}, {"name": "models/m-1"}]}),
        "m-1",
        "https://api.example.com/v1beta",
    ),
    "ollama": Sample(
        OLLAMA_STREAM,
        heard(reasoning="hm", finish="tool_calls", usage=OLLAMA_USAGE, tool_calls=(CALL,)),
        as_json(OLLAMA_REPLY),
        as_json({"models": [{"name": "m-2:latest", "model": "m-2:latest"}, {"name": "m-1"}]}),
        "m-1",
        "http://127.0.0.1:11434",
    ),
}
