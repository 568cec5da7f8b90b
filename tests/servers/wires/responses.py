"""OpenAI's Responses API: typed events, the last of which holds the whole answer again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.servers.model_script import Script
from tests.servers.wires.base import OVERLOADED, Piece, Question, sse
from tests.servers.wires.openai import OpenAiWire

_ENDS = {"length": ("incomplete", "max_output_tokens"), "content_filter": ("incomplete", "content_filter")}


class ResponsesWire(OpenAiWire):
    name = "openai:responses"
    garbage = b'event: response.output_text.delta\ndata: {"type": "response.out\xff\n\n'

    def whole(self, question: Question, script: Script) -> Any:
        return self._answer(question, script, _output(script))

    def opening(self, question: Question, script: Script) -> list[Piece]:
        begun = self._answer(question, script, []) | {"status": "in_progress", "incomplete_details": None}
        return [
            ("other", _event("response.created", response=begun)),
            ("other", _event("response.in_progress", response=begun)),
        ]

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        for thought in script.reasoning:
            yield "reasoning", _event("response.reasoning_summary_text.delta", item_id="rs_1", delta=thought)
        for word in script.words:
            yield "text", _event("response.output_text.delta", item_id="msg_1", content_index=0, delta=word)
        for name, arguments in script.tool_calls:
            item = {"type": "function_call", "name": name, "arguments": "", "call_id": "call_1"}
            yield "tool", _event("response.output_item.added", item=item)
            yield "tool", _event("response.function_call_arguments.delta", item_id="fc_1", delta=arguments)

    def closing(self, question: Question, script: Script) -> list[Piece]:
        whole = self._answer(question, script, _output(script))
        return [
            ("other", _event("response.output_item.done", item=item)) for item in whole["output"]
        ] + [("other", _event(f"response.{whole['status']}", response=whole))]  # fmt: skip

    def error_event(self) -> bytes:
        return _event("error", code=OVERLOADED.code, message=OVERLOADED.message, param=None)

    def no_choices(self, question: Question) -> Any:
        return self._answer(question, Script(), [])

    def framed(self, value: Any) -> bytes:
        return _event("response.completed", response=value)

    def _answer(self, question: Question, script: Script, output: list[Any]) -> dict[str, Any]:
        status, reason = _ENDS.get(script.finish, ("completed", ""))
        return {
            "id": "resp_1", "object": "response", "created_at": 1_780_000_000, "model": question.model,
            "status": status, "error": None, "incomplete_details": {"reason": reason} if reason else None,
            "output": output, "usage": _usage(script), "store": False,
        }  # fmt: skip


def _output(script: Script) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = []
    if script.reasoning:
        summary = [{"type": "summary_text", "text": "".join(script.reasoning)}]
        output.append({"type": "reasoning", "id": "rs_1", "summary": summary})
    if script.words:
        content = [{"type": "output_text", "text": "".join(script.words), "annotations": []}]
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "content": content})
    calls = [{"type": "function_call", "name": name, "arguments": told} for name, told in script.tool_calls]
    return output + calls


def _usage(script: Script) -> dict[str, Any] | None:
    used = script.used
    if used is None:
        return None
    return {
        "input_tokens": used.tokens_in, "input_tokens_details": {"cached_tokens": used.cached},
        "output_tokens": used.tokens_out, "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.tokens_in + used.tokens_out,
    }  # fmt: skip


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, "sequence_number": 0, **fields}, kind)
