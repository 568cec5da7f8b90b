"""OpenAI: chat completions, and everybody who speaks the same; Azure asks with another header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.servers.model_script import Refusal, Script, Tokens
from tests.servers.wires.base import Piece, Question, Wire, sse


class OpenAiWire(Wire):
    name = "openai"

    def embedding(self, question: Question, numbers: Sequence[float], tokens: Tokens | None) -> Any:
        usage = {"usage": {"prompt_tokens": tokens.tokens_in, "total_tokens": tokens.tokens_in}} if tokens else {}
        data = [{"object": "embedding", "index": 0, "embedding": list(numbers)}]
        return {"object": "list", "data": data, "model": question.model, **usage}

    def whole(self, question: Question, script: Script) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(script.words) or None, "refusal": None}
        if script.reasoning:
            message["reasoning_content"] = "".join(script.reasoning)
        if script.tool_calls:
            message["tool_calls"] = [self._call(index, *call) for index, call in enumerate(script.tool_calls)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": script.finish}
        return self._document("chat.completion", question, [choice]) | self._usage(script)

    def opening(self, question: Question, script: Script) -> list[Piece]:
        return [("other", self._chunk(question, {"role": "assistant", "content": ""}))]

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        for thought in script.reasoning:
            yield "reasoning", self._chunk(question, {"reasoning_content": thought})
        for word in script.words:
            yield "text", self._chunk(question, {"content": word})
        for index, (name, arguments) in enumerate(script.tool_calls):
            for part in ({"name": name, "arguments": ""}, {"arguments": arguments}):
                call = {"index": index, "function": part} | ({"id": f"call_{index}"} if "name" in part else {})
                yield "tool", self._chunk(question, {"tool_calls": [call]})

    def closing(self, question: Question, script: Script) -> list[Piece]:
        ended = [("other", self._chunk(question, {}, script.finish))]
        if question.usage and script.used is not None:
            last = self._document("chat.completion.chunk", question, []) | self._usage(script)
            ended.append(("other", sse(last)))
        return [*ended, ("other", b"data: [DONE]\n\n")]

    def error(self, refusal: Refusal) -> Any:
        error = {"message": refusal.message, "type": refusal.openai_type, "param": None, "code": refusal.code}
        return {"error": error}

    def no_choices(self, question: Question) -> Any:
        return self._document("chat.completion", question, [])

    def head_room(self) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-reset-requests": "120ms", "x-ratelimit-limit-tokens": "30000",
            "x-ratelimit-remaining-tokens": "29000", "x-ratelimit-reset-tokens": "1m2.5s",
        }  # fmt: skip

    def _chunk(self, question: Question, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse(self._document("chat.completion.chunk", question, [choice]) | {"usage": None})

    def _document(self, kind: str, question: Question, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1", "object": kind, "created": 1_780_000_000, "model": question.model,
            "choices": choices, "system_fingerprint": "fp_1",
        }  # fmt: skip

    def _usage(self, script: Script) -> dict[str, Any]:
        used = script.used
        if used is None:
            return {}
        return {
            "usage": {
                "prompt_tokens": used.tokens_in, "completion_tokens": used.tokens_out,
                "total_tokens": used.tokens_in + used.tokens_out,
                "prompt_tokens_details": {"cached_tokens": used.cached},
                "completion_tokens_details": {"reasoning_tokens": used.reasoning},
            }
        }  # fmt: skip

    def _call(self, index: int, name: str, arguments: str) -> dict[str, Any]:
        return {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}


class AzureWire(OpenAiWire):
    """The same, asked with another header."""

    name = "azure"
    key_header = "api-key"
