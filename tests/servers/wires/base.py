"""What a dialect puts on the wire, in the words of a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.servers.model_script import Refusal, Script, Tokens

Piece = tuple[str, bytes]  # "text", "reasoning", "tool" or "other", and the bytes of one event


@dataclass(frozen=True)
class Question:
    """What was asked, whatever the dialect. `what`: "chat", "models" or "embedding"."""

    what: str
    model: str = ""
    stream: bool = False
    usage: bool = True


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def sse(value: object, name: str = "", end: str = "\n") -> bytes:
    return (f"event: {name}{end}" if name else "").encode() + b"data: " + as_json(value) + (end * 2).encode()


class Wire:
    """One dialect: documents as plain values, a stream as events, its `opening`, its `words` and its `closing`."""

    name: ClassVar[str]
    content_type: ClassVar[str] = "text/event-stream"
    key_header: ClassVar[str] = "authorization"
    ping: ClassVar[bytes] = b": keep-alive\n\n"
    garbage: ClassVar[bytes] = b'data: {"choices": [{"del\xff\n\n'

    def models(self, names: Sequence[str]) -> Any:
        return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "local"} for name in names]}

    def embedding(self, question: Question, numbers: Sequence[float], tokens: Tokens | None) -> Any:
        raise NotImplementedError

    def whole(self, question: Question, script: Script) -> Any:
        raise NotImplementedError

    def opening(self, question: Question, script: Script) -> list[Piece]:
        return []

    def words(self, question: Question, script: Script) -> Iterator[Piece]:
        raise NotImplementedError

    def closing(self, question: Question, script: Script) -> list[Piece]:
        raise NotImplementedError

    def error(self, refusal: Refusal) -> Any:
        raise NotImplementedError

    def error_event(self) -> bytes:
        return sse(self.error(OVERLOADED))

    def no_choices(self, question: Question) -> Any:
        """A whole answer, or the only event of a stream, without an answer in it."""
        raise NotImplementedError

    def framed(self, value: Any) -> bytes:
        """A document as the only event of a stream."""
        return sse(value)

    def head_room(self) -> Mapping[str, str]:
        return {}


OVERLOADED = Refusal(
    status=529, code="overloaded", openai_type="server_error", anthropic_type="overloaded_error",
    google_status="UNAVAILABLE", message="Overloaded",
)  # fmt: skip
