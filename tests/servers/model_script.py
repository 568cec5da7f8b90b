"""What a model server is told to answer, and everything that can be wrong with an answer, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal[
    "",
    "silent",  # takes the request and says nothing
    "headers_only",  # a good status, and then nothing
    "stall",  # stops half-way, and holds the connection
    "endless",  # goes on until the other side hangs up
    "cut",  # closes half-way, in the middle of a message
    "reset",  # breaks off half-way with a TCP reset
    "no_end",  # ends half-way as if that were all: no finish, no usage, no mark of the end
    "garbage",  # one event that is no JSON
    "error_event",  # half-way an error in the dialect's own words
    "error_body",  # 200, and a plain JSON error instead of what was asked for
    "html",  # 200, and a page for people
    "no_choices",  # an answer without an answer
]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What the provider says was used; numbers as they are sent, however absurd."""

    tokens_in: int = 24
    tokens_out: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer that is an error. `code` as OpenAI says it, `kind` as Anthropic and Google do."""

    status: int
    code: str = ""
    openai_type: str = "invalid_request_error"
    anthropic_type: str = "api_error"
    google_status: str = "UNKNOWN"
    message: str = "Something is wrong."
    headers: Mapping[str, str] = field(default_factory=dict)
    html: bool = False


@dataclass(frozen=True, kw_only=True)
class Script:
    """One answer. Delays in seconds; a word is a chunk of its own when it streams.

    `tokens` None sends no usage. A `fault` of the half-way kind happens after `fault_after` words. `write_bytes` cuts
    the stream into pieces of that many bytes, each a chunk and a write of its own; 0: an event a write.
    """

    words: tuple[str, ...] = tuple(f"word{number} " for number in range(12))
    reasoning: tuple[str, ...] = ()
    tool_calls: tuple[tuple[str, str], ...] = ()
    finish: Literal["stop", "length", "content_filter", "tool_calls"] = "stop"
    tokens: Tokens | None = Tokens()
    headers: Mapping[str, str] = field(default_factory=dict)
    head_room: bool = True
    headers_delay: float = 0.0
    first_delay: float = 0.0
    delay: float = 0.0
    # With comments and "ping" events between the others, as providers send them to keep a connection open.
    pings: bool = False
    write_bytes: int = 0
    gzip: bool = False
    # Closes the connection at the end instead of saying how long the answer is.
    unframed: bool = False
    refusal: Refusal | None = None
    fault: Fault = ""
    fault_after: int = 3

    @property
    def used(self) -> Tokens | None:
        """The usage as it is sent: of tokens out, as many as there were chunks unless it says otherwise."""
        if self.tokens is None or self.tokens.tokens_out:
            return self.tokens
        out = len(self.words) + len(self.reasoning) + 8 * len(self.tool_calls)
        return Tokens(
            tokens_in=self.tokens.tokens_in,
            tokens_out=out,
            cached=self.tokens.cached,
            reasoning=self.tokens.reasoning or len(self.reasoning),
        )


def _refused(status: int, code: str, message: str, **more: object) -> Script:
    return Script(refusal=Refusal(status=status, code=code, message=message, **more))  # type: ignore[arg-type]


# By the name of the model that is asked: each server behaves so without being told.
FAULTY: dict[str, Script] = {
    "invalid-key": _refused(
        401, "invalid_api_key", "Incorrect API key provided: sk-wrong.",
        anthropic_type="authentication_error", google_status="UNAUTHENTICATED",
    ),
    "billing": _refused(
        402, "billing_hard_limit_reached", "Your account has unpaid invoices.", openai_type="billing_error",
        anthropic_type="billing_error", google_status="FAILED_PRECONDITION",
    ),
    "permission": _refused(
        403, "model_not_allowed", "This project may not use this model.", openai_type="permission_error",
        anthropic_type="permission_error", google_status="PERMISSION_DENIED",
    ),
    "model-not-found": _refused(
        404, "model_not_found", "The model `model-not-found` does not exist or you do not have access to it.",
        anthropic_type="not_found_error", google_status="NOT_FOUND",
    ),
    "bad-request": _refused(
        400, "unsupported_parameter", "Unsupported parameter: 'max_tokens' is not supported with this model.",
        anthropic_type="invalid_request_error", google_status="INVALID_ARGUMENT",
    ),
    "too-large": _refused(
        413, "context_length_exceeded", "The request is too large.",
        anthropic_type="request_too_large", google_status="INVALID_ARGUMENT",
    ),
    "rate-limit": _refused(
        429, "rate_limit_exceeded", "Rate limit reached for requests.", openai_type="requests",
        anthropic_type="rate_limit_error", google_status="RESOURCE_EXHAUSTED", headers={"Retry-After": "7"},
    ),
    "rate-limit-silent": _refused(
        429, "rate_limit_exceeded", "Rate limit reached for requests.", openai_type="requests",
        anthropic_type="rate_limit_error", google_status="RESOURCE_EXHAUSTED",
    ),
    "quota": _refused(
        429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.",
        openai_type="insufficient_quota", anthropic_type="rate_limit_error", google_status="RESOURCE_EXHAUSTED",
    ),
    "server-error": _refused(
        500, "server_error", "The server had an error while processing your request.", openai_type="server_error",
        anthropic_type="api_error", google_status="INTERNAL",
    ),
    "bad-gateway": Script(refusal=Refusal(status=502, html=True)),
    "unavailable": _refused(
        503, "server_is_overloaded", "The engine is currently overloaded.", openai_type="server_error",
        anthropic_type="overloaded_error", google_status="UNAVAILABLE",
    ),
    "gateway-timeout": Script(refusal=Refusal(status=504, html=True)),
    "overloaded": _refused(
        529, "overloaded", "Overloaded", openai_type="server_error",
        anthropic_type="overloaded_error", google_status="UNAVAILABLE",
    ),
    "policy": _refused(
        400, "content_policy_violation", "Your request was rejected by our content policy.",
        anthropic_type="invalid_request_error", google_status="INVALID_ARGUMENT",
    ),
    "redirect": Script(refusal=Refusal(status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"})),
    "length": Script(finish="length"),
    "content-filter": Script(finish="content_filter", words=()),
    "no-usage": Script(tokens=None),
    "absurd-usage": Script(tokens=Tokens(tokens_in=-5, tokens_out=10**15)),
    "silent": Script(fault="silent"),
    "headers-only": Script(fault="headers_only"),
    "stall": Script(fault="stall"),
    "endless": Script(fault="endless", delay=0.005),
    "cut": Script(fault="cut"),
    "reset": Script(fault="reset"),
    "no-end": Script(fault="no_end"),
    "garbage": Script(fault="garbage"),
    "error-event": Script(fault="error_event"),
    "error-body": Script(fault="error_body"),
    "html": Script(fault="html"),
    "no-choices": Script(fault="no_choices"),
    "empty": Script(words=(), reasoning=()),
    "reasoning": Script(reasoning=tuple(f"thought{number} " for number in range(6))),
    "reasoning-only": Script(words=(), reasoning=tuple(f"thought{number} " for number in range(16)), finish="length"),
    "tools": Script(words=(), tool_calls=(("get_weather", '{"city": "Seoul"}'),), finish="tool_calls"),
    "pings": Script(pings=True),
    "byte-by-byte": Script(write_bytes=1, pings=True),
    "packed": Script(gzip=True),
    "unframed": Script(unframed=True),
}  # fmt: skip
