"""Anthropic: messages, streamed as typed events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tests.servers.model_script import Refusal, Script, Tokens
from tests.servers.wires.base import OVERLOADED, Piece, Question, Wire, sse


class AnthropicWire(Wire):
    name = "anthropic"
    key_header = "x-api-key"
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    garbage = b'event: content_block_delta\ndata: {"type": "content_blo\n\n'
    _finish: ClassVar = {
        "stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use",
    }  # fmt: skip

    def models(self, names: Sequence[str]) -> Any:
        data = [{"type": "model", "id": name, "display_name": name} for name in names]
        return {"data": data, "has_more": False, "first_id": None, "last_id": None}

    def whole(self, question: Question, script: Script) -> Any:
        content: list[Any] = []
        if script.reasoning:
            content.append({"type": "thinking", "thinking": "".join(script.reasoning), "signature": "c2ln"})
        if script.words:
            content.append({"type": "text", "text": "".join(script.words)})
        for index, (name, arguments) in enumerate(script.tool_calls):
            content.append({"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": json.loads(arguments)})
        used = script.used
        usage = {"usage": self._input(used) | {"output_tokens": used.tokens_out}} if used else {}
        return self._message(question, content, self._finish[script.finish]) | usage

    def opening(self, question: Question, script: Script) -> list[Piece]:
        used = script.used
        usage = {"usage": self._input(used) | {"output_tokens": 1}} if used else {}
        start = {"type": "message_start", "message": self._message(question, [], None) | usage}
        return [("other", sse(start, "message_start"))]

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        index = 0
        thinking = [("reasoning", {"type": "thinking_delta", "thinking": thought}) for thought in script.reasoning]
        texts = [("text", {"type": "text_delta", "text": word}) for word in script.words]
        for block, deltas in (({"type": "thinking", "thinking": ""}, thinking), ({"type": "text", "text": ""}, texts)):
            if deltas:
                yield from self._block(index, block, deltas)
                index += 1
        for number, (name, arguments) in enumerate(script.tool_calls):
            call = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
            yield from self._block(index, call, [("tool", {"type": "input_json_delta", "partial_json": arguments})])
            index += 1

    def closing(self, question: Question, script: Script) -> list[Piece]:
        used = script.used
        usage = {"usage": {"output_tokens": used.tokens_out}} if used else {}
        delta = {"stop_reason": self._finish[script.finish], "stop_sequence": None}
        last = {"type": "message_delta", "delta": delta, **usage}
        return [("other", sse(last, "message_delta")), ("other", sse({"type": "message_stop"}, "message_stop"))]

    def error(self, refusal: Refusal) -> Any:
        error = {"type": refusal.anthropic_type, "message": refusal.message}
        return {"type": "error", "error": error, "request_id": "req_1"}

    def error_event(self) -> bytes:
        return sse(self.error(OVERLOADED), "error")

    def no_choices(self, question: Question) -> Any:
        return self._message(question, [], None)

    def framed(self, value: Any) -> bytes:
        return sse({"type": "message_start", "message": value}, "message_start")

    def head_room(self) -> Mapping[str, str]:
        return {
            "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z", "request-id": "req_1",
        }  # fmt: skip

    def _block(self, index: int, block: dict[str, Any], deltas: list[tuple[str, dict[str, Any]]]) -> Iterator[Piece]:
        name = "content_block_start"
        yield "other", sse({"type": name, "index": index, "content_block": block}, name)
        for kind, delta in deltas:
            event = {"type": "content_block_delta", "index": index, "delta": delta}
            yield kind, sse(event, "content_block_delta")
        yield "other", sse({"type": "content_block_stop", "index": index}, "content_block_stop")

    def _message(self, question: Question, content: list[Any], finish: str | None) -> dict[str, Any]:
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": question.model, "content": content,
            "stop_reason": finish, "stop_sequence": None,
        }  # fmt: skip

    def _input(self, used: Tokens) -> dict[str, Any]:
        return {"input_tokens": used.tokens_in, "cache_read_input_tokens": used.cached}
