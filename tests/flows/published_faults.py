"""What a published server of AI models is told to do wrong, and what class of error the portal must see in it.

Pure data: a fault is one model of that name. What it says in words stands in the same words in docs/ai/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DIALECTS = ("openai", "openai_compatible", "anthropic", "gemini", "ollama", "azure")
CHAT = ("openai", "openai_compatible", "azure")
PING, STREAM, EMBEDDING = "ai_ping", "ai_stream", "ai_embedding"
# Longer than any of the clocks of these looks.
FOR_EVER_MS = 30_000
# Short enough to wait for, long enough for a machine with other work.
CLOCK_SECONDS = 3.0
LONG_ANSWER = "OK. " + "one two three four five six seven eight nine ten " * 10


class Seen(NamedTuple):
    """A class of error and whose fault it is, as `models/{id}/` tells them; empty: all is well."""

    error_class: str = ""
    fault: str = ""

    @property
    def state(self) -> str:
        """What a look comes to: theirs and the network's fail, and so does a model that is gone."""
        if not self.error_class:
            return "ok"
        is_failed = self.fault in ("theirs", "network") or self.error_class == "model_not_found"
        return "failed" if is_failed else "degraded"


WELL = Seen()
INVALID_KEY, PERMISSION = Seen("invalid_key", "ours"), Seen("permission", "ours")
QUOTA, BILLING, RATE_LIMIT = Seen("quota", "ours"), Seen("billing", "ours"), Seen("rate_limit", "ours")
OVERLOADED, SERVER_ERROR = Seen("overloaded", "theirs"), Seen("server_error", "theirs")
FIRST_TOKEN, STALL = Seen("first_token_timeout", "theirs"), Seen("stall", "theirs")
TOTAL, NETWORK = Seen("total_timeout", "theirs"), Seen("network", "network")
CONTENT_FILTER, BAD_REQUEST = Seen("content_filter", "quality"), Seen("bad_request", "ours")
GONE, MALFORMED = Seen("model_not_found", "ours"), Seen("malformed", "theirs")
BROKEN_OFF, TOO_SHORT = Seen("truncated", "theirs"), Seen("truncated", "ours")


@dataclass(frozen=True)
class Fault:
    """One model: what it does (`fixture`), what a look of each kind makes of it, and for whom."""

    name: str
    words: str
    fixture: Mapping[str, Any]
    seen: Mapping[str, Seen]
    dialects: tuple[str, ...] = DIALECTS
    config: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: float = 10.0

    def fixtures(self) -> list[dict[str, Any]]:
        """As the server takes it."""
        return [{"match": {"model": self.name}, **self.fixture}] if self.fixture else []


def both(seen: Seen) -> dict[str, Seen]:
    """The same, streamed or not."""
    return {PING: seen, STREAM: seen}


def text(content: str = LONG_ANSWER, **more: Any) -> dict[str, Any]:
    return {"response": {"content": content, **more}}


def chaos(**rates: float) -> dict[str, Any]:
    return {**text(), "chaos": rates}


def refusal(status: int, message: str, code: str = "", kind: str = "", **more: Any) -> dict[str, Any]:
    """An error as a fixture: `kind` is its general type, `code` its own word where the dialect has both."""
    error = {"message": message, **({"type": kind} if kind else {}), **({"code": code} if code else {})}
    return {"response": {"error": error, "status": status, **more}}


def paced(*gaps_ms: int) -> dict[str, Any]:
    """A good answer with these pauses before its second, third … chunk."""
    timings = {"ttftMs": 0, "interChunkDelaysMs": list(gaps_ms), "totalDurationMs": sum(gaps_ms)}
    return {**text(), "recordedTimings": timings}


# Ollama's done reason is not among what can be set there.
_WITH_FINISH = (*CHAT, "anthropic", "gemini")
_QUICK = {"first_token_timeout_seconds": CLOCK_SECONDS, "stall_timeout_seconds": CLOCK_SECONDS}
_PATIENT = {"first_token_timeout_seconds": 60.0, "stall_timeout_seconds": 60.0}

TRANSPORT = (
    Fault("good", "a good answer", text(), both(WELL)),
    Fault("dropped", "chaos: dropped with a 500", chaos(dropRate=1), both(SERVER_ERROR)),
    Fault("garbage", "chaos: malformed JSON under a 200", chaos(malformedRate=1), both(MALFORMED)),
    Fault("hung-up", "chaos: disconnected before an answer", chaos(disconnectRate=1), both(NETWORK)),
    Fault("limited", "chaos: 429 with `Retry-After`", chaos(rateLimitRate=1), both(RATE_LIMIT)),
    Fault(
        "late",
        "chaos: latency beyond every clock",
        chaos(latencyMs=FOR_EVER_MS),
        {PING: TOTAL},
        timeout_seconds=CLOCK_SECONDS,
    ),
    Fault(
        "late-stream",
        "chaos: latency beyond every clock",
        chaos(latencyMs=FOR_EVER_MS),
        {STREAM: FIRST_TOKEN},
        config=_QUICK,
    ),
    Fault(
        "slow-start",
        "a first chunk that does not come",
        {**text(), "streamingProfile": {"ttft": FOR_EVER_MS}},
        {STREAM: FIRST_TOKEN},
        config=_QUICK,
    ),
    Fault(
        "silent",
        "a stream that begins without a token",
        paced(FOR_EVER_MS),
        {STREAM: FIRST_TOKEN},
        dialects=(*CHAT, "anthropic"),
        config=_QUICK,
    ),
    Fault(
        "stalled",
        "a stream that pauses in the middle",
        paced(0, 0, 0, 0, 0, 0, FOR_EVER_MS),
        {PING: WELL, STREAM: STALL},
        config=_QUICK,
    ),
    Fault(
        "crawling",
        "a stream that goes on too slowly",
        {**text(), "latency": 500},
        {STREAM: TOTAL},
        config=_PATIENT,
        timeout_seconds=CLOCK_SECONDS,
    ),
    Fault(
        "cut",
        "a stream truncated after some chunks",
        {**text(), "latency": 50, "truncateAfterChunks": 8},
        {PING: WELL, STREAM: BROKEN_OFF},
    ),
    Fault(
        "broken-off",
        "a stream disconnected after some time",
        {**text(), "latency": 100, "disconnectAfterMs": 1_000},
        {PING: WELL, STREAM: BROKEN_OFF},
    ),
    Fault("silence", "an answer without a word", text(""), both(MALFORMED)),
    Fault(
        "too-short",
        "finish reason: length, long before our limit",
        text("Well", finishReason="length"),
        both(TOO_SHORT),
        dialects=_WITH_FINISH,
    ),
    Fault(
        "filtered",
        "finish reason: content filter",
        text("I", finishReason="content_filter"),
        both(CONTENT_FILTER),
        dialects=(*CHAT, "gemini"),
    ),
    Fault(
        "declined",
        "finish reason: refusal",
        text("I", finishReason="refusal"),
        both(CONTENT_FILTER),
        dialects=("anthropic",),
    ),
    Fault(
        "calling",
        "a tool call in place of words",
        {"response": {"toolCalls": [{"name": "say", "arguments": "{}"}]}},
        both(WELL),
    ),
    Fault("thinking", "thoughts before the answer", text(reasoning="I think. " * 10), both(WELL)),
    Fault("unknown", "a model the server does not know", {}, both(GONE)),
)
