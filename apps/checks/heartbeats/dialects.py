"""The forms in which clients ping: Healthchecks' URLs, Uptime Kuma's push URL, Gatus' external endpoints.

Pure: from method, path, query and headers to a `PingRequest`, or to the `Answer` that refuses it with the status and
the words its client family expects. Whether the address is anybody's is for the inbox to find out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from apps.checks.heartbeats import answers
from apps.checks.heartbeats.answers import Answer, Outcome
from apps.checks.heartbeats.go_duration import milliseconds

USER_AGENT_LENGTH = 200
QUERY_LIMIT_BYTES = 16 * 1024
_QUERY_FIELDS = 50
# As in JavaScript's parseFloat: what a number begins with counts, what follows it is ignored.
_LEADING_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_LONGEST_SAID_MS = 1e11

# The last two say nothing that a POST does not; clients' libraries let people choose them.
_METHODS = frozenset({"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_NAME = re.compile(r"[-a-zA-Z0-9_]{1,100}")
_EXIT_STATUS = re.compile(r"[0-9]{1,20}")
_HIGHEST_EXIT_STATUS = 255
_SIGNALS = frozenset({"start", "fail", "log"})


class Arrival(NamedTuple):
    """An HTTP request before its body: the path percent-decoded, header names in lower case."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]


class PingRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A ping as its client meant it. Exactly one of `ping_id`, `push_token` and `ping_key` with `slug` is set."""

    dialect: str
    kind: str
    method: str
    user_agent: str
    ping_id: UUID | None = None
    push_token: str | None = None
    ping_key: str | None = None
    slug: str | None = None
    create: bool = False
    exit_status: int | None = None
    run_id: UUID | None = None
    said_ms: float | None = None
    # Text told in the query; kept as the body.
    text: bytes = b""


Parsed = PingRequest | Answer | None


@dataclass(frozen=True)
class Dialect:
    """One family of clients: where its paths begin, how they are read, and how it is answered."""

    name: str
    prefix: str
    parse: Callable[[Arrival], Parsed]
    answers: Mapping[Outcome, Answer]


def dialect_of(path: str) -> Dialect | None:
    """The family a path belongs to; None for everything that is no ping."""
    if path.startswith("/ping/"):
        return HEALTHCHECKS
    if path.startswith("/api/push/"):
        return KUMA
    if path.startswith("/api/v1/endpoints/") and path.rstrip("/").endswith("/external"):
        return GATUS
    return None


def parse(dialect: Dialect, arrival: Arrival) -> PingRequest | Answer:
    """What the client says, or why it is refused."""
    if arrival.method == "OPTIONS":
        return answers.PREFLIGHT
    if arrival.method not in _METHODS:
        return answers.BAD_METHOD
    if len(arrival.query) > QUERY_LIMIT_BYTES:
        return answers.LONG_QUERY
    return dialect.parse(arrival) or dialect.answers[Outcome.UNKNOWN]


def _healthchecks(arrival: Arrival) -> Parsed:
    # A slash at the end changes nothing.
    parts = arrival.path.removeprefix("/ping/").removesuffix("/").split("/")
    if _UUID.fullmatch(parts[0]) and (len(parts) == 1 or _is_signal(parts[1])):
        return _signal(arrival, parts[1:], ping_id=UUID(parts[0]))
    if not 2 <= len(parts) <= 3 or not all(_NAME.fullmatch(part) for part in parts):
        return None
    key, slug = parts[:2]
    if slug != slug.lower():
        return answers.BAD_URL
    return _signal(arrival, parts[2:], ping_key=key, slug=slug)


def _is_signal(word: str) -> bool:
    return word in _SIGNALS or _EXIT_STATUS.fullmatch(word) is not None


def _signal(
    arrival: Arrival,
    rest: list[str],
    *,
    ping_id: UUID | None = None,
    ping_key: str | None = None,
    slug: str | None = None,
) -> Parsed:
    """A Healthchecks ping: `rest` is empty (a success), or one signal or exit status."""
    word = rest[0] if rest else ""
    if len(rest) > 1 or (word and not _is_signal(word)):
        return None
    exit_status = int(word) if word and word not in _SIGNALS else None
    if exit_status is not None and exit_status > _HIGHEST_EXIT_STATUS:
        return answers.BAD_URL
    query = _query(arrival)
    run_id = query.get("rid")
    if run_id is not None and _UUID.fullmatch(run_id) is None:
        return answers.BAD_RUN_ID
    return PingRequest(
        dialect="healthchecks",
        kind=_kind(word, exit_status),
        method=arrival.method,
        user_agent=_user_agent(arrival),
        ping_id=ping_id,
        ping_key=ping_key,
        slug=slug,
        create=slug is not None and query.get("create") == "1",
        exit_status=exit_status,
        run_id=UUID(run_id) if run_id is not None else None,
    )


def _kind(word: str, exit_status: int | None) -> str:
    if exit_status is None:
        return word or "success"
    return "fail" if exit_status else "success"


def _kuma(arrival: Arrival) -> Parsed:
    token = arrival.path.removeprefix("/api/push/").removesuffix("/")
    if _NAME.fullmatch(token) is None:
        return None
    query = _query(arrival)
    return PingRequest(
        dialect="kuma",
        # Whatever is said and is not "up" means down.
        kind="success" if (query.get("status") or "up") == "up" else "fail",
        method=arrival.method,
        user_agent=_user_agent(arrival),
        push_token=token,
        said_ms=_leading_number(query.get("ping", "")),
        text=query.get("msg", "").encode(),
    )


def _gatus(arrival: Arrival) -> Parsed:
    if arrival.method != "POST":
        return answers.POST_ONLY
    query = _query(arrival)
    success = query.get("success")
    if success not in {"true", "false"}:
        return answers.BAD_SUCCESS
    token = _bearer_token(arrival)
    if token is None or isinstance(token, Answer):
        return token
    duration = query.get("duration", "")
    said_ms = milliseconds(duration) if duration else None
    if duration and said_ms is None:
        return answers.BAD_DURATION
    return PingRequest(
        dialect="gatus",
        kind="success" if success == "true" else "fail",
        method=arrival.method,
        user_agent=_user_agent(arrival),
        push_token=token,
        said_ms=said_ms if said_ms is not None and said_ms >= 0 else None,
        # An error beside a success is ignored, as Gatus does.
        text=query.get("error", "").encode() if success == "false" else b"",
    )


def _bearer_token(arrival: Arrival) -> str | Answer | None:
    """The token; why there is none; or None for one that nobody can have."""
    scheme, _, token = arrival.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme != "Bearer":
        return answers.BAD_AUTHORIZATION
    token = token.strip()
    if not token:
        return answers.EMPTY_TOKEN
    return token if _NAME.fullmatch(token) else None


HEALTHCHECKS = Dialect("healthchecks", "/ping/", _healthchecks, answers.HEALTHCHECKS)
KUMA = Dialect("kuma", "/api/push/", _kuma, answers.KUMA)
GATUS = Dialect("gatus", "/api/v1/endpoints/", _gatus, answers.GATUS)


def _query(arrival: Arrival) -> dict[str, str]:
    """The query's fields, the last of each name; what is not UTF-8 becomes the replacement character."""
    if not arrival.query:
        return {}
    try:
        fields = parse_qsl(
            arrival.query.decode("utf-8", "replace"),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=_QUERY_FIELDS,
        )
    except ValueError:  # more fields than any client sends: none of them is read
        return {}
    return dict(fields)


def _user_agent(arrival: Arrival) -> str:
    """Fit for a text column: valid UTF-8 without NUL, cut to its length."""
    sent = arrival.headers.get(b"user-agent", b"")
    return sent[: 4 * USER_AGENT_LENGTH].decode("utf-8", "replace").replace("\0", "\ufffd")[:USER_AGENT_LENGTH]


def _leading_number(text: str) -> float | None:
    found = _LEADING_NUMBER.match(text[:40])
    number = float(found[1]) if found else 0.0
    # 0 is what clients send that did not measure.
    return number if 0 < number <= _LONGEST_SAID_MS else None
