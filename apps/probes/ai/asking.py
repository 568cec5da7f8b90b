"""What a model is asked, and how: prompts that no cache has seen before, and requests that are bounded and timed."""

from __future__ import annotations

import secrets

import msgspec

from apps.core import details
from apps.core.outbound.exchange import HttpRequest, Listener, OutboundError, OutboundReason
from apps.core.registry import UnknownEntry
from apps.probes.ai import counting
from apps.probes.ai.dialect import AI_DIALECTS, Ask, Dialect
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.details import Detail

# A whole answer of a few hundred tokens is a few kilobytes; this bounds what a broken server may send.
MAX_ANSWER_BYTES = 2 * 1024 * 1024
# More than a listener takes before it has enough, so that it is the one to end an endless stream.
MAX_STREAM_BYTES = 32 * 1024 * 1024
# Of a stream everything is heard and little kept: enough for an error that came in place of it.
KEPT_OF_A_STREAM = 64 * 1024

PING_WORD = "OK"
_PING = f"Reply with the single word {PING_WORD} and nothing else."
_STREAM = (
    "Count from one to one hundred in English words, separated by single spaces. Begin at once; write nothing else."
)
_EMBEDDING = "The quick brown fox jumps over the lazy dog."


def nonce() -> str:
    """Twelve characters nobody has sent before: an answer out of a cache would flatter."""
    return secrets.token_hex(6)


def unseen(prompt: str, once: str) -> str:
    """The prompt behind a nonce: in front, because caches of providers go by how a prompt begins."""
    return f"[{once}] {prompt}"


def ping_ask(max_output_tokens: int, once: str = "") -> Ask:
    """The shortest question that proves that a model answers."""
    return Ask(prompt=unseen(_PING, once or nonce()), max_output_tokens=max_output_tokens)


def stream_ask(max_output_tokens: int, once: str = "") -> Ask:
    """A question whose answer goes on until our limit ends it, so that its speed can be measured."""
    return Ask(prompt=unseen(_STREAM, once or nonce()), max_output_tokens=max_output_tokens, stream=True)


def embedding_text(once: str = "") -> str:
    """A sentence to embed."""
    return unseen(_EMBEDDING, once or nonce())


def dialect_of(endpoint: Endpoint) -> Dialect:
    """How this endpoint is spoken to. Raises OutboundError for a dialect this worker does not know, or no server."""
    if not endpoint.base_url:
        raise OutboundError(OutboundReason.INVALID_CONFIGURATION, details.words(Detail.NO_BASE_URL).to_evidence())
    try:
        return AI_DIALECTS.get(endpoint.dialect)
    except UnknownEntry:
        unknown = details.words(Detail.UNKNOWN_DIALECT, name=endpoint.dialect)
        raise OutboundError(OutboundReason.INVALID_CONFIGURATION, unknown.to_evidence()) from None


def output_limit(endpoint: Endpoint, max_output_tokens: int) -> int:
    """The tokens a model is really allowed: those of the answer, and what it cannot help thinking before."""
    if endpoint.dialect not in AI_DIALECTS:
        return max_output_tokens
    return max_output_tokens + AI_DIALECTS.get(endpoint.dialect).reasoning_allowance(endpoint.model)


def most_usage(endpoint: Endpoint, ask: Ask) -> Usage:
    """The most tokens this question may use, there."""
    tokens_in = counting.most_tokens_of(counting.text_of(ask))
    return Usage(tokens_in=tokens_in, tokens_out=output_limit(endpoint, ask.max_output_tokens))


def chat_request(
    endpoint: Endpoint, ask: Ask, *, connect_timeout_seconds: float | None = None, listener: Listener | None = None
) -> HttpRequest:
    """One question as a request: sized, with its clocks. No redirect is followed: a key goes only where it was meant
    to go."""
    return msgspec.structs.replace(
        dialect_of(endpoint).chat_request(endpoint, ask),
        max_bytes=MAX_STREAM_BYTES if listener is not None else MAX_ANSWER_BYTES,
        keep_bytes=KEPT_OF_A_STREAM if listener is not None else MAX_ANSWER_BYTES,
        max_redirects=0,
        verify_tls=endpoint.verify_tls,
        connect_timeout_seconds=connect_timeout_seconds,
        listener=listener,
    )


def embedding_request(endpoint: Endpoint, text: str, *, connect_timeout_seconds: float) -> HttpRequest | None:
    """A question for an embedding, sized; None where the dialect has none."""
    request = dialect_of(endpoint).embedding_request(endpoint, text)
    if request is None:
        return None
    return msgspec.structs.replace(
        request,
        max_bytes=MAX_ANSWER_BYTES,
        keep_bytes=MAX_ANSWER_BYTES,
        max_redirects=0,
        verify_tls=endpoint.verify_tls,
        connect_timeout_seconds=connect_timeout_seconds,
    )
