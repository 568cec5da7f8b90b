"""What each family of clients is answered: the status, the type and the words its scripts look for."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import NamedTuple

# How much of a body is kept. Clients read it from `Ping-Body-Limit` and send no more.
BODY_LIMIT_BYTES = 100_000

_NOT_KEPT = (b"cache-control", b"no-store")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_BODY_LIMIT = (b"ping-body-limit", b"%d" % BODY_LIMIT_BYTES)
# What was sent is echoed nowhere, and nothing answered here is ever a page.
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class Outcome(StrEnum):
    """What became of a ping. Only the first two mean that it is safe."""

    STORED = "stored"
    CREATED = "created"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    # More are waiting than can be written in time.
    BUSY = "busy"
    # The database did not confirm it.
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


class Answer(NamedTuple):
    """One HTTP answer, ready to be sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_TEXT = b"text/plain; charset=utf-8"
_JSON = b"application/json; charset=utf-8"


def text_answer(status: int, text: str, *more: tuple[bytes, bytes]) -> Answer:
    """A plain answer that a browser of any origin may read and nobody keeps."""
    return _answer(status, _TEXT, text.encode(), *more)


def json_answer(status: int, content: dict[str, object], *more: tuple[bytes, bytes]) -> Answer:
    """The same as compact JSON."""
    return _answer(status, _JSON, json.dumps(content, separators=(",", ":")).encode(), *more)


def _answer(status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]) -> Answer:
    headers = (
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        _NOT_KEPT,
        _ANY_ORIGIN,
        _NO_SNIFFING,
        *more,
    )
    return Answer(status, headers, body)


def _retry_after(seconds: int) -> tuple[bytes, bytes]:
    return (b"retry-after", b"%d" % seconds)


# The rest of a refused body may still be on its way.
_CLOSE = (b"connection", b"close")

_SENTENCES = {
    Outcome.TOO_LARGE: "The body is larger than 5 MiB. Send its last 100 kB.",
    Outcome.TOO_SLOW: "The body did not arrive in time.",
    Outcome.BUSY: "Too many pings at once. Send it again.",
    Outcome.UNAVAILABLE: "The ping could not be stored. Send it again.",
    Outcome.BROKEN: "The ping could not be stored because of an error in the portal.",
}
_STATUSES = {
    Outcome.TOO_LARGE: (413, _CLOSE),
    Outcome.TOO_SLOW: (408, _CLOSE),
    Outcome.BUSY: (503, _retry_after(2)),
    Outcome.UNAVAILABLE: (503, _retry_after(5)),
    Outcome.BROKEN: (500, _CLOSE),
}


def _healthchecks_answer(status: int, text: str, *more: tuple[bytes, bytes]) -> Answer:
    return text_answer(status, text, _BODY_LIMIT, (b"access-control-expose-headers", b"Ping-Body-Limit"), *more)


def _kuma_answer(status: int, text: str, *more: tuple[bytes, bytes]) -> Answer:
    return json_answer(status, {"ok": False, "msg": text}, *more)


HEALTHCHECKS = {
    Outcome.STORED: _healthchecks_answer(200, "OK"),
    Outcome.CREATED: _healthchecks_answer(201, "Created"),
    Outcome.UNKNOWN: _healthchecks_answer(404, "not found"),
    Outcome.AMBIGUOUS: _healthchecks_answer(409, "ambiguous slug"),
    **{
        outcome: _healthchecks_answer(status, _SENTENCES[outcome], header)
        for outcome, (status, header) in _STATUSES.items()
    },
}
KUMA = {
    Outcome.STORED: json_answer(200, {"ok": True}),
    Outcome.UNKNOWN: _kuma_answer(404, "Monitor not found or not active."),
    **{outcome: _kuma_answer(status, _SENTENCES[outcome], header) for outcome, (status, header) in _STATUSES.items()},
}
GATUS = {
    Outcome.STORED: text_answer(200, ""),
    Outcome.UNKNOWN: text_answer(401, "invalid token"),
    **{outcome: text_answer(status, _SENTENCES[outcome], header) for outcome, (status, header) in _STATUSES.items()},
}

PREFLIGHT = Answer(
    204,
    (
        _ANY_ORIGIN,
        (b"access-control-allow-methods", b"HEAD, GET, POST, PUT"),
        (b"access-control-allow-headers", b"*"),
        (b"access-control-max-age", b"600"),
    ),
    b"",
)
BAD_METHOD = text_answer(405, "Send a ping with HEAD, GET, POST or PUT.", (b"allow", b"HEAD, GET, POST, PUT, OPTIONS"))
LONG_QUERY = text_answer(414, "The query is longer than 16 kB. Send the text as a POST body.")
BAD_URL = _healthchecks_answer(400, "invalid url format")
BAD_RUN_ID = _healthchecks_answer(400, "invalid uuid format")
BAD_SUCCESS = text_answer(400, "missing or invalid success query parameter")
BAD_AUTHORIZATION = text_answer(401, "invalid Authorization header")
EMPTY_TOKEN = text_answer(401, "bearer token must not be empty")
BAD_DURATION = text_answer(400, "invalid duration: use units, such as 1m30s, 2.5s or 250ms")
POST_ONLY = text_answer(405, "Method Not Allowed", (b"allow", b"POST, OPTIONS"))
