"""A dialect: how one family of providers is asked and how its answers read. One file each in `ai_dialects/`.

Everything above a dialect (the kinds, the judgement, discovery) is the same for all of them: a dialect makes requests
out of an `Ask` and turns what comes back into a `Reply`, a stream of `Delta`s, a list of names or a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from apps.core.details import Words
from apps.core.outbound.exchange import HttpRequest
from apps.core.registry import Registry
from apps.probes.ai import headroom
from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.refusals import classified
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail
from apps.probes.reasons import Reason, Text

__all__ = [
    "AI_DIALECTS",
    "Ask",
    "BadAnswer",
    "Delta",
    "Dialect",
    "EventReader",
    "Finish",
    "Reply",
    "ToolCall",
    "join_calls",
    "names_in",
]

Finish = Literal["stop", "length", "content_filter", "tool_calls", "error", ""]


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call the model wants to be made. `arguments` as it wrote them: JSON text, good or not."""

    name: str
    arguments: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model. `tools` are JSON-Schema functions: {"name", "description", "parameters"}.

    `max_output_tokens` goes into the parameter the dialect wants; reasoning is off, or as little as it allows.
    """

    prompt: str
    system: str = ""
    max_output_tokens: int = 16
    stream: bool = False
    temperature: float | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    json_schema: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        # A prompt may be somebody's secret, and a repr ends in logs.
        return f"Ask(max_output_tokens={self.max_output_tokens}, stream={self.stream})"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer. `usage` is None when the provider named none; `problem` when a good status held an error.

    `choices` counts the answers in it: none is a malformed answer.
    """

    text: str = ""
    reasoning: str = ""
    finish: Finish = ""
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    choices: int = 0
    model: str = ""
    problem: Reason | None = None
    detail: str = ""


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What one event of a stream added. `ended`: the dialect's own mark of the end was seen.

    `tool_calls` are pieces as they came: one with a name begins a call, one without goes on with the arguments of the
    call before it (`join_calls` puts them together). `usage` is that of the whole call, and the last one counts.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish = ""
    usage: Usage | None = None
    ended: bool = False
    problem: Reason | None = None
    detail: str = ""


class EventReader:
    """Reads the events of one stream in order. A new one for each stream: some dialects keep state between events."""

    def read(self, name: str, data: bytes) -> Delta:
        """One complete event (`name` empty where the wire has none). Raises BadAnswer."""
        raise NotImplementedError


class Dialect:
    """How one family of providers is spoken to. Pure: requests out, bytes in. Nothing here raises for a bad server but
    BadAnswer, and no message of its own holds a key or a prompt."""

    name: ClassVar[str]
    label: ClassVar[Text]
    # Where its API lives when nobody says: empty means that one has to be given.
    default_base_url: ClassVar[str] = ""
    # Where one has to be given: what it may look like, and what to enter, as a sentence.
    address_example: ClassVar[str] = ""
    address_note: ClassVar[Text] = ""
    needs_key: ClassVar[bool] = True
    # Where its vendor says how it is, and the parts of that page it stands on, when the whole is far more than that.
    status_page: ClassVar[str] = ""
    status_components: ClassVar[tuple[str, ...]] = ()
    # How a stream is cut into events: server-sent events, a JSON array or JSON lines.
    framing: ClassVar[Literal["sse", "json_array", "json_lines"]] = "sse"

    def reasoning_allowance(self, model: str) -> int:
        """Tokens that `chat_request` allows on top of `Ask.max_output_tokens`, for a model that cannot be kept from
        reasoning: without them it would be cut off before its answer. What a look may use at most counts them."""
        return 0

    def models_request(self, endpoint: Endpoint) -> HttpRequest:
        """The free question for the list of models."""
        raise NotImplementedError

    def read_models(self, body: bytes) -> list[str]:
        """The ids in the list, sorted, as `Endpoint.model` takes them. Raises BadAnswer."""
        raise NotImplementedError

    def offers(self, names: Sequence[str], model: str) -> bool:
        """Whether a list with these names means that `model` can be asked for."""
        return model in names

    def chat_request(self, endpoint: Endpoint, ask: Ask) -> HttpRequest:
        """One question. The caller sets sizes, clocks and the listener of the request (`msgspec.structs.replace`)."""
        raise NotImplementedError

    def read_reply(self, body: bytes) -> Reply:
        """A complete, not streamed answer. Raises BadAnswer."""
        raise NotImplementedError

    def event_reader(self) -> EventReader:
        raise NotImplementedError

    def embedding_request(self, endpoint: Endpoint, text: str) -> HttpRequest | None:
        """A question for an embedding; None where the dialect has none."""
        return None

    def read_embedding(self, body: bytes) -> tuple[int, Usage | None]:
        """(dimensions, usage) of an embedding. Raises BadAnswer."""
        raise BadAnswer(Detail.NO_EMBEDDINGS)

    def classify(self, status: int, headers: Mapping[str, str], body: bytes) -> tuple[Reason, str]:
        """Why an answer whose status is not 200 was given, and the provider's own words, shortened.

        They may repeat what was asked: the caller, who knows prompt and key, masks both."""
        return classified(status, body)

    def explained(self, reason: Reason, said: str) -> Words | None:
        """What a refusal in these words of the provider means, where our own words say more; None: they are shown."""
        return None

    def head_room(self, headers: Mapping[str, str]) -> dict[str, dict[str, float]]:
        """What the rate-limit headers leave: {"requests": {"limit", "remaining", "reset_seconds"}, "tokens": …};
        only what was said. `reset_seconds` counts from the answer."""
        return headroom.head_room(headers)

    def retry_after(self, headers: Mapping[str, str], body: bytes) -> float | None:
        """Seconds the provider asks us to wait, by header or body; None when it does not."""
        return headroom.retry_after_seconds(headers)


AI_DIALECTS: Registry[Dialect] = Registry("AI dialect", package="apps.probes.ai_dialects")


def join_calls(pieces: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """Whole calls out of the pieces of a stream, in order."""
    names: list[str] = []
    arguments: list[list[str]] = []
    for piece in pieces:
        if piece.name or not names:
            names.append(piece.name)
            arguments.append([])
        arguments[-1].append(piece.arguments)
    return tuple(ToolCall(name=name, arguments="".join(parts)) for name, parts in zip(names, arguments, strict=True))


def names_in(found: Sequence[Any]) -> list[str]:
    """Names that can be a model's, each once, in order; at most 5,000."""
    names = {name[:200] for name in found[:5_000] if isinstance(name, str) and name and "\0" not in name}
    return sorted(names)
