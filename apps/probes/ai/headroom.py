"""How much a provider still allows, and when to come again, out of the headers of an answer.

Moments are told against the answer's own `date`: our clock and theirs need not agree, and nothing here has a clock.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from apps.probes.ai.documents import header

MAX_GROUPS = 8
_MAX_NUMBER = 1e15
# A limit that lasts longer than this says nothing about the next look.
_MAX_SECONDS = 400 * 86_400.0
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|us|µs|ns|d|h|m|s))+")
_DURATION_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_FIELDS = {"limit": "limit", "remaining": "remaining", "reset": "reset_seconds"}
# x-ratelimit-remaining-requests, as OpenAI has it and most after it; without a last part it is requests.
_FIELD_FIRST = re.compile(r"(?:llm_provider-)?x-ratelimit-(limit|remaining|reset)(?:-([a-z][a-z0-9-]{0,30}))?")
# anthropic-ratelimit-input-tokens-remaining
_FIELD_LAST = re.compile(r"(?:llm_provider-)?anthropic-ratelimit-([a-z][a-z0-9-]{0,30})-(limit|remaining|reset)")


def head_room(headers: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """{"requests": {"limit", "remaining", "reset_seconds"}, "tokens": …}: what was said and can be believed, only."""
    found: dict[str, dict[str, float]] = {}
    answered_at = _moment(header(headers, "date"))
    for group, field, text in sorted(_said(headers)):
        if group not in found and len(found) >= MAX_GROUPS:
            continue
        number = seconds_until(text, answered_at) if field == "reset" else _number(text)
        if number is not None:
            found.setdefault(group, {})[_FIELDS[field]] = number
    return found


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next call, as `retry-after-ms` or `retry-after` has it; None when neither says so.

    A gateway may only pass on what the provider behind it said.
    """
    exact = _number(header(headers, "retry-after-ms"))
    if exact is not None:
        return min(exact / 1_000, _MAX_SECONDS)
    told = header(headers, "retry-after") or header(headers, "llm_provider-retry-after")
    return seconds_until(told, _moment(header(headers, "date")))


def seconds_until(text: str, answered_at: datetime | None) -> float | None:
    """A wait out of `6m0s`, `1.5`, an RFC 3339 or HTTP date, or Unix (milli)seconds; None for anything else."""
    if _NUMBER.fullmatch(text):
        return _wait(float(text), answered_at)
    if _DURATION.fullmatch(text):
        total = sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION_PART.findall(text))
        return round(min(total, _MAX_SECONDS), 3)
    moment = _moment(text)
    if moment is None or answered_at is None:
        return None
    return _between(moment.timestamp(), answered_at)


def _wait(number: float, answered_at: datetime | None) -> float | None:
    if number < 1e9:
        return number if number <= _MAX_SECONDS else None
    # Nobody waits for thirty years: it is a moment.
    return _between(number / 1_000 if number >= 1e12 else number, answered_at) if answered_at else None


def _between(timestamp: float, answered_at: datetime) -> float | None:
    seconds = timestamp - answered_at.timestamp()
    return round(max(seconds, 0.0), 3) if seconds <= _MAX_SECONDS else None


def _said(headers: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(group, field, text) of each header that is one of these."""
    for name, text in headers.items():
        first, last = _FIELD_FIRST.fullmatch(name), _FIELD_LAST.fullmatch(name)
        if first:
            yield (first[2] or "requests").replace("-", "_"), first[1], text.strip()
        elif last:
            yield last[1].replace("-", "_"), last[2], text.strip()


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) and number <= _MAX_NUMBER else None


def _moment(text: str) -> datetime | None:
    """An RFC 3339 or HTTP date; one without a zone is UTC."""
    if not text or len(text) > 60:
        return None
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        moment.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment
