"""Ollama: chat, streamed as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.servers.model_script import Refusal, Script, Tokens
from tests.servers.wires.base import Piece, Question, Wire, as_json


class OllamaWire(Wire):
    name = "ollama"
    content_type = "application/x-ndjson"
    ping = b"\n"
    garbage = b'{"model": "x", "mess\n'

    def models(self, names: Sequence[str]) -> Any:
        return {"models": [{"name": name, "model": name, "size": 1} for name in names]}

    def embedding(self, question: Question, numbers: Sequence[float], tokens: Tokens | None) -> Any:
        counted = {"prompt_eval_count": tokens.tokens_in} if tokens else {}
        return {"model": question.model, "embeddings": [list(numbers)], **counted}

    def whole(self, question: Question, script: Script) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(script.words)}
        if script.reasoning:
            message["thinking"] = "".join(script.reasoning)
        if script.tool_calls:
            message["tool_calls"] = [self._call(*call) for call in script.tool_calls]
        return {"model": question.model, "created_at": "2026-01-01T00:00:00Z", "message": message} | self._end(script)

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        for thought in script.reasoning:
            yield "reasoning", self._line(question, {"content": "", "thinking": thought})
        for word in script.words:
            yield "text", self._line(question, {"content": word})
        for call in script.tool_calls:
            yield "tool", self._line(question, {"content": "", "tool_calls": [self._call(*call)]})

    def closing(self, question: Question, script: Script) -> list[Piece]:
        last = {"model": question.model, "message": {"role": "assistant", "content": ""}} | self._end(script)
        return [("other", self.framed(last))]

    def error(self, refusal: Refusal) -> Any:
        return {"error": refusal.message}

    def error_event(self) -> bytes:
        return self.framed({"error": "an error was encountered while running the model"})

    def no_choices(self, question: Question) -> Any:
        return {"model": question.model, "done": True}

    def framed(self, value: Any) -> bytes:
        return as_json(value) + b"\n"

    def _line(self, question: Question, message: dict[str, Any]) -> bytes:
        return self.framed({"model": question.model, "message": {"role": "assistant", **message}, "done": False})

    def _end(self, script: Script) -> dict[str, Any]:
        reason = {"length": "length"}.get(script.finish, "stop")
        used = script.used
        counted = {"prompt_eval_count": used.tokens_in, "eval_count": used.tokens_out} if used else {}
        return {"done": True, "done_reason": reason, "total_duration": 5_000_000, **counted}

    def _call(self, name: str, arguments: str) -> dict[str, Any]:
        return {"function": {"name": name, "arguments": json.loads(arguments)}}
