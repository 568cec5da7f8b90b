"""Tokens counted by us: what a question holds at most, what an answer held when nobody says, and whom to believe."""

from __future__ import annotations

from math import ceil

import msgspec

from apps.probes.ai.dialect import Ask
from apps.probes.ai.usage import Usage

# A token of English or Korean is three to four bytes of UTF-8.
_BYTES_A_TOKEN = 4
# The same from the safe side: digits, code and rare scripts take more tokens for as many bytes.
_LEAST_BYTES_A_TOKEN = 2
# Roles, separators and whatever else a provider wraps a message in.
_WRAPPING = 16
# A model may think far more than it was allowed to, and that is paid for; but not without any bound.
_MOST_TIMES = 64
_MOST_MORE = 65_536


def tokens_of(text: str) -> int:
    """About how many tokens a text is."""
    return ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)


def most_tokens_of(text: str) -> int:
    """How many tokens a question with this text is at most, wrapping included."""
    return ceil(len(text.encode("utf-8", "replace")) / _LEAST_BYTES_A_TOKEN) + 2 * _WRAPPING


def text_of(ask: Ask) -> str:
    """Everything a question sends."""
    parts = [ask.system, ask.prompt]
    if ask.tools:
        parts.append(msgspec.json.encode(ask.tools).decode())
    if ask.json_schema is not None:
        parts.append(msgspec.json.encode(ask.json_schema).decode())
    return "\n".join(parts)


def estimated(question: str, tokens_out: int, tokens_reasoning: int = 0) -> Usage:
    """A usage of our own counting: of a question that was sent, and what was heard of its answer."""
    return Usage(
        tokens_in=tokens_of(question) + _WRAPPING,
        tokens_out=tokens_out,
        tokens_reasoning=tokens_reasoning,
        estimated=True,
    )


def believed(named: Usage | None, ours: Usage, max_output_tokens: int = 0) -> Usage:
    """What the provider named, where it can be true; else our own estimate.

    None, negative numbers, nothing out although something was said, and far more than was asked for are not believed.
    """
    if named is None or min(named.tokens_in, named.tokens_out, named.tokens_cached, named.tokens_reasoning) < 0:
        return ours
    too_much_in = named.tokens_in > _MOST_TIMES * ours.tokens_in + _MOST_MORE
    too_much_out = named.tokens_out > _MOST_TIMES * max(max_output_tokens, ours.tokens_out) + _MOST_MORE
    nothing = named.tokens_in == 0 or (named.tokens_out == 0 and ours.tokens_out > 0)
    return ours if too_much_in or too_much_out or nothing else named
