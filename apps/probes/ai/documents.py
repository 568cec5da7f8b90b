"""Reading what a provider sent without believing any of it: JSON of any shape in, plain values or nothing out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from apps.core.outbound.showing import shortened
from apps.probes.ai.answers import BadAnswer
from apps.probes.ai.usage import ABSURD_TOKENS, Usage
from apps.probes.details import Detail

MAX_DETAIL = 300
# Beyond this an error's text is not looked at; nobody says why in more.
_MAX_ERROR_BYTES = 65_536
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\s\ud800-\udfff]+")
# What begins as a key does: providers like to say which key it was that they do not accept.
_KEY_LIKE = re.compile(
    r"(?<![A-Za-z0-9])((?:sk|pk|rk|gsk|xai|hf|pplx|AIza|Bearer)[-_ ]?)[A-Za-z0-9*][A-Za-z0-9_*.\-]{7,}"
)


def decoded(body: bytes) -> Any:
    """The JSON value in `body`. Raises BadAnswer, also for JSON nested deeper than anybody means."""
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise BadAnswer(Detail.TOO_DEEP) from None
    except ValueError:
        raise BadAnswer(Detail.NO_JSON if body.strip() else Detail.NOTHING) from None


def decoded_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises BadAnswer for anything else."""
    document = decoded(body)
    if not isinstance(document, dict):
        raise BadAnswer(Detail.NO_OBJECT)
    return document


def decoded_if_json(body: bytes) -> Any:
    """The JSON value at the root of an error's body; None when there is none."""
    try:
        return decoded(body[:_MAX_ERROR_BYTES])
    except BadAnswer:
        return None


def object_at(value: Any, *path: str) -> dict[str, Any]:
    """The object under those names; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects_in(value: Any, limit: int = 1_000) -> list[dict[str, Any]]:
    """The objects in a list; none of anything else."""
    return [entry for entry in value[:limit] if isinstance(entry, dict)] if isinstance(value, list) else []


def text_in(value: Any) -> str:
    """A text as it is, or the parts of one in a list put together; empty for anything else."""
    if isinstance(value, str):
        return value
    return "".join(text for part in objects_in(value) if isinstance(text := part.get("text"), str))


def tokens_in(value: Any) -> int | None:
    """A count of tokens that can be believed; None for what is missing, negative, absurd or no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or value != int(value) or not 0 <= value <= ABSURD_TOKENS:
        return None
    return int(value)


def believed(tokens_into: Any, tokens_out: Any, *, cached: Any = 0, reasoning: Any = 0) -> Usage | None:
    """A usage out of counts as they came (`cached` among the tokens in, `reasoning` among those out).

    None when one of the two that cost money cannot be believed; of the others only what fits into them is.
    """
    into, out = tokens_in(tokens_into), tokens_in(tokens_out)
    if into is None or out is None or into + out == 0:
        return None
    return Usage(
        tokens_in=into,
        tokens_out=out,
        tokens_cached=min(tokens_in(cached) or 0, into),
        tokens_reasoning=min(tokens_in(reasoning) or 0, out),
    )


def readable(text: str, limit: int = MAX_DETAIL) -> str:
    """A provider's words on one line, without control characters and whatever looks like a key, shortened."""
    return shortened(_KEY_LIKE.sub(r"\1…", _CONTROLS.sub(" ", text[: limit * 4]).strip()), limit)


def vector_length(value: Any) -> int:
    """The dimensions of an embedding, a list of numbers. Raises BadAnswer for anything else, also for an empty one."""
    if not isinstance(value, list) or not value:
        raise BadAnswer(Detail.EMPTY_EMBEDDING)
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value):
        raise BadAnswer(Detail.NO_NUMBERS)
    return len(value)


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value without blanks around it; empty when it is not there."""
    return headers.get(name, "").strip()
