"""What the answers of HTTP receivers mean: for every kind of channel that posts. Pure; registers no kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from apps.alerts.channels.base import ANSWER_LIMIT_CHARACTERS, Delivery, DeliveryReason
from apps.core.outbound.exchange import INSTANCE_HEADER, Exchange, OutboundError, OutboundReason

# Only the start of an answer is kept; how much is read before the connection is dropped.
ANSWER_LIMIT_BYTES = 64 * 1024
MAX_RETRY_AFTER_SECONDS = 3_600.0

_REFUSALS: dict[int, DeliveryReason] = {
    HTTPStatus.UNAUTHORIZED: DeliveryReason.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: DeliveryReason.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: DeliveryReason.NOT_FOUND,
    HTTPStatus.GONE: DeliveryReason.RECEIVER_GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: DeliveryReason.TOO_LARGE,
}
_TRY_AGAIN: dict[int, DeliveryReason] = {
    HTTPStatus.REQUEST_TIMEOUT: DeliveryReason.RECEIVER_TIMEOUT,
    HTTPStatus.TOO_EARLY: DeliveryReason.RECEIVER_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: DeliveryReason.RATE_LIMITED,
}


def judge(status: int, headers: Mapping[str, str], now: datetime, *, answer: str = "") -> Delivery:
    """What an answer means. `headers` are lower-case names; `now` is what an HTTP date is counted from."""
    if is_loop(status, headers):
        return Delivery(False, False, DeliveryReason.LOOP, status_code=status, disable=True, answer=answer)
    ok, retryable, reason = classify(status)
    return Delivery(
        ok=ok,
        retryable=retryable,
        reason=reason,
        status_code=status,
        retry_after_seconds=retry_after(headers.get("retry-after", ""), now) if retryable else None,
        disable=reason is DeliveryReason.RECEIVER_GONE,
        answer=answer,
    )


def is_loop(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a portal has seen its own mark on what we sent: it is ours, so what is sent there comes back to us."""
    return status == HTTPStatus.LOOP_DETECTED and INSTANCE_HEADER in headers


def classify(status: int) -> tuple[bool, bool, DeliveryReason]:
    """(ok, retryable, reason) of a status. Repeating what was refused changes nothing: that is for a person to mend."""
    if 200 <= status < 300:
        return True, False, DeliveryReason.DELIVERED
    if status in _TRY_AGAIN:
        return False, True, _TRY_AGAIN[status]
    if 500 <= status < 600:
        return False, True, DeliveryReason.RECEIVER_ERROR
    if 300 <= status < 400:
        return False, False, DeliveryReason.REDIRECTED
    if 400 <= status < 500:
        return False, False, _REFUSALS.get(status, DeliveryReason.REFUSED)
    return False, False, DeliveryReason.UNEXPECTED_STATUS


_FAILURES: dict[OutboundReason, DeliveryReason] = {
    OutboundReason.DNS_NOT_FOUND: DeliveryReason.NAME_NOT_RESOLVED,
    OutboundReason.DNS_TIMEOUT: DeliveryReason.NAME_NOT_RESOLVED,
    OutboundReason.DNS_ERROR: DeliveryReason.NAME_NOT_RESOLVED,
    OutboundReason.ADDRESS_DENIED: DeliveryReason.ADDRESS_DENIED,
    OutboundReason.CONNECT_REFUSED: DeliveryReason.CONNECTION_FAILED,
    OutboundReason.CONNECT_TIMEOUT: DeliveryReason.TIMEOUT,
    OutboundReason.UNREACHABLE: DeliveryReason.CONNECTION_FAILED,
    OutboundReason.CONNECTION_RESET: DeliveryReason.CONNECTION_FAILED,
    OutboundReason.EMPTY_RESPONSE: DeliveryReason.CONNECTION_FAILED,
    OutboundReason.TIMEOUT: DeliveryReason.TIMEOUT,
    OutboundReason.SLOW_RESPONSE: DeliveryReason.TIMEOUT,
    OutboundReason.TLS_EXPIRED: DeliveryReason.TLS_FAILED,
    OutboundReason.TLS_NOT_YET_VALID: DeliveryReason.TLS_FAILED,
    OutboundReason.TLS_WRONG_HOST: DeliveryReason.TLS_FAILED,
    OutboundReason.TLS_UNTRUSTED: DeliveryReason.TLS_FAILED,
    OutboundReason.TLS_ERROR: DeliveryReason.TLS_FAILED,
    OutboundReason.REDIRECT_LOOP: DeliveryReason.REDIRECTED,
    OutboundReason.TOO_MANY_REDIRECTS: DeliveryReason.REDIRECTED,
    OutboundReason.REDIRECT_REFUSED: DeliveryReason.REDIRECTED,
    OutboundReason.INVALID_CONFIGURATION: DeliveryReason.INVALID_CONFIGURATION,
    OutboundReason.INTERNAL_ERROR: DeliveryReason.INTERNAL_ERROR,
}
_NOT_RETRYABLE = {
    DeliveryReason.ADDRESS_DENIED,
    DeliveryReason.REDIRECTED,
    DeliveryReason.INVALID_CONFIGURATION,
}


def judge_failure(error: OutboundError) -> Delivery:
    """What it means that no complete answer came. A status that did arrive counts: the body is of no interest."""
    if error.status is not None and error.status >= 200:
        ok, retryable, reason = classify(error.status)
        gone = reason is DeliveryReason.RECEIVER_GONE
        return Delivery(ok=ok, retryable=retryable, reason=reason, status_code=error.status, disable=gone)
    reason = _FAILURES.get(error.reason, DeliveryReason.PROTOCOL_ERROR)
    return Delivery(ok=False, retryable=reason not in _NOT_RETRYABLE, reason=reason)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait, from `Retry-After` as seconds or an HTTP date: 0 to MAX_RETRY_AFTER_SECONDS; None if absent."""
    text = value.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def excerpt(exchange: Exchange) -> str:
    """The start of the answer as plain text."""
    return plain_text(exchange.text(ANSWER_LIMIT_CHARACTERS))


def plain_text(text: str) -> str:
    """On one line and short: control characters would break a log line, and PostgreSQL takes no NUL."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text[:ANSWER_LIMIT_CHARACTERS])
    return " ".join(printable.split())
