"""Google: generateContent, streamed as server-sent events or as one JSON array."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from tests.servers.model_script import Refusal, Script, Tokens
from tests.servers.wires.base import OVERLOADED, Piece, Question, Wire, as_json, sse


class GeminiWire(Wire):
    name = "gemini"
    key_header = "x-goog-api-key"
    ping = b": keep-alive\r\n\r\n"
    garbage = b'data: {"candidates": [{"con\r\n\r\n'
    _finish: ClassVar = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "STOP"}

    def models(self, names: Sequence[str]) -> Any:
        methods = ["generateContent", "countTokens"]
        return {"models": [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in names]}

    def embedding(self, question: Question, numbers: Sequence[float], tokens: Tokens | None) -> Any:
        return {"embedding": {"values": list(numbers)}}

    def whole(self, question: Question, script: Script) -> Any:
        parts: list[Any] = []
        if script.reasoning:
            parts.append({"text": "".join(script.reasoning), "thought": True})
        if script.words:
            parts.append({"text": "".join(script.words)})
        parts += [self._call(*call) for call in script.tool_calls]
        return self._document(question, parts, self._finish[script.finish]) | self._usage(script)

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        for thought in script.reasoning:
            yield "reasoning", self.framed(self._document(question, [{"text": thought, "thought": True}]))
        for word in script.words:
            yield "text", self.framed(self._document(question, [{"text": word}]))
        for call in script.tool_calls:
            yield "tool", self.framed(self._document(question, [self._call(*call)]))

    def closing(self, question: Question, script: Script) -> list[Piece]:
        last = self._document(question, [], self._finish[script.finish]) | self._usage(script)
        return [("other", self.framed(last))]

    def error(self, refusal: Refusal) -> Any:
        return {"error": {"code": refusal.status, "message": refusal.message, "status": refusal.google_status}}

    def error_event(self) -> bytes:
        return self.framed(self.error(OVERLOADED))

    def no_choices(self, question: Question) -> Any:
        return {"usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}, "modelVersion": question.model}

    def framed(self, value: Any) -> bytes:
        return sse(value, end="\r\n")

    def _call(self, name: str, arguments: str) -> dict[str, Any]:
        return {"functionCall": {"name": name, "args": json.loads(arguments)}}

    def _document(self, question: Question, parts: list[Any], finish: str = "") -> dict[str, Any]:
        candidate: dict[str, Any] = {"index": 0}
        if parts or finish != "SAFETY":
            candidate["content"] = {"role": "model"} | ({"parts": parts} if parts else {})
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": question.model, "responseId": "r1"}

    def _usage(self, script: Script) -> dict[str, Any]:
        used = script.used
        if used is None:
            return {}
        counts = {
            "promptTokenCount": used.tokens_in, "candidatesTokenCount": used.tokens_out - used.reasoning,
            "totalTokenCount": used.tokens_in + used.tokens_out,
        }  # fmt: skip
        counts |= {"thoughtsTokenCount": used.reasoning} if used.reasoning else {}
        return {"usageMetadata": counts | ({"cachedContentTokenCount": used.cached} if used.cached else {})}


class GeminiArrayWire(GeminiWire):
    """Without `alt=sse` Google streams one JSON array."""

    name = "gemini_array"
    content_type = "application/json; charset=UTF-8"
    ping = b"\n"
    garbage = b',\r\n{"candidates": [{"con\n'

    def opening(self, question: Question, script: Script) -> list[Piece]:
        # The comma goes before each element, so the first one is an empty document that only names the model.
        return [("other", b"[" + as_json({"modelVersion": question.model, "responseId": "r1"}) + b"\n")]

    def closing(self, question: Question, script: Script) -> list[Piece]:
        return [*super().closing(question, script), ("other", b"]")]

    def framed(self, value: Any) -> bytes:
        return b",\r\n" + json.dumps(value, indent=1).encode() + b"\n"
