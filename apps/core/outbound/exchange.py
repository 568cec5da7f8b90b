"""What goes out and what comes back over HTTP, and how it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from encodings.aliases import aliases
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec

MAX_REDIRECTS = 5
DEFAULT_MAX_BYTES = 1024 * 1024
# The mark on what must not come back to us; our own edge knows it, and answers 508 with it.
INSTANCE_HEADER = "portal-instance"
# By Python's names. A server must not choose among all codecs: punycode, for one, takes quadratic time.
_CHARSETS = frozenset(
    {
        *("utf_8", "ascii", "latin_1", "utf_16", "utf_16_le", "utf_16_be"),
        *(f"cp{number}" for number in range(1250, 1259)),
        *("euc_kr", "cp949", "shift_jis", "cp932", "euc_jp", "gb2312", "gbk", "gb18030", "big5"),
    }
)
_MAX_CHARACTER_BYTES = 4

HttpVersion = Literal["auto", "1.1"]
# Why an answer is not whole: the listener had enough, or more was not heard in time.
Cut = Literal["", "enough", "late"]


class OutboundReason(StrEnum):
    """Why nothing usable came back. The codes are those of `apps.probes.reasons.Reason`."""

    DNS_NOT_FOUND = "dns_not_found"
    DNS_TIMEOUT = "dns_timeout"
    DNS_ERROR = "dns_error"
    ADDRESS_DENIED = "address_denied"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    CONNECTION_RESET = "connection_reset"
    EMPTY_RESPONSE = "empty_response"
    TIMEOUT = "timeout"
    SLOW_RESPONSE = "slow_response"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_ERROR = "tls_error"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_REFUSED = "redirect_refused"
    BODY_TOO_LARGE = "body_too_large"
    DECOMPRESSION_BOMB = "decompression_bomb"
    PROTOCOL_ERROR = "protocol_error"
    # Ours, not theirs
    INVALID_CONFIGURATION = "invalid_configuration"
    INTERNAL_ERROR = "internal_error"


class Listener(Protocol):
    """Hears an answer while it arrives. Moments are monotonic seconds; nothing here may block or raise.

    Called on the thread that drives the transfer, which drives all others too: little is done here, and nothing twice.
    """

    def began(self, at: float) -> None:
        """The request was handed to libcurl: connecting begins, or sending on a kept connection."""

    def heard(self, chunk: bytes, at: float) -> bool:
        """A piece of the body of a 2xx answer, after decompression, cut anywhere. False: enough, end the transfer."""

    def deadline(self) -> float | None:
        """By when more must have been heard; None for no such moment. Asked when it began and after each piece, and
        when the moment has come: a later one then means that nothing was missed."""

    def missed(self, at: float) -> None:
        """The deadline has passed, and the transfer ends."""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Times in seconds, sizes in bytes; `headers` may hold secrets, so they are not in the repr."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes | None = None
    # More than this many bytes, after decompression, is a failure (`body_too_large` or `decompression_bomb`).
    max_bytes: int = DEFAULT_MAX_BYTES
    # Of those, how many are kept for the reader.
    keep_bytes: int = DEFAULT_MAX_BYTES
    # How many redirects are followed, 0 to MAX_REDIRECTS; at 0 a redirect is an answer like any other.
    max_redirects: int = 0
    verify_tls: bool = True
    # Whether the connection may be kept for the next request of the same kind, and such a one be used.
    reuse_connection: bool = False
    # "auto" is HTTP/2 when the server offers it over TLS.
    http_version: HttpVersion = "auto"
    # How long connecting (with TLS) may take, within the whole timeout; None: as long as that.
    connect_timeout_seconds: float | None = None
    # Hears the answer while it arrives, for one transfer only. With one, no redirect is followed.
    listener: Listener | None = None

    def __repr__(self) -> str:
        return f"HttpRequest(method={self.method!r}, url={self.url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate a server showed (the leaf)."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]

    def evidence(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "names": list(self.names[:20]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One redirect that was followed."""

    status: int
    url: str
    location: str
    address: str


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer.

    `headers` are lower-case names; several of one name are joined by ", ". `phases` are milliseconds by
    `dns_ms connect_ms tls_ms first_byte_ms transfer_ms`, summed over redirects; `duration_ms` is from the start of the
    first lookup to the last byte. `started_at` is Unix seconds. `http_version` is 1.0, 1.1 or 2.0; of a connection that
    was `reused` there is no connect and no TLS phase.

    With a listener, `cut` says whether it was ended before its end, by the listener ("enough") or because its deadline
    was missed ("late", with status 0 when no header had come), and `sent_at` is the monotonic moment at which the
    connection was ready and the request went out; 0 when it never did.
    """

    status: int
    status_line: str
    headers: Mapping[str, str]
    body: bytes
    body_bytes: int
    wire_bytes: int
    url: str
    address: str
    phases: Mapping[str, float]
    duration_ms: float
    started_at: float
    hops: tuple[Hop, ...] = ()
    certificate: Certificate | None = None
    http_version: float = 1.1
    reused: bool = False
    cut: Cut = ""
    listener: Listener | None = None
    sent_at: float = 0.0

    def text(self, max_characters: int | None = None) -> str:
        """The kept body as text: the charset the server names if it is a common one, else UTF-8.

        Bytes that do not fit are replaced. With `max_characters` no more than that is decoded and given.
        """
        body = self.body if max_characters is None else self.body[: max_characters * _MAX_CHARACTER_BYTES]
        return body.decode(self._charset(), "replace")[:max_characters]

    def _charset(self) -> str:
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _equals, value = part.strip().partition("=")
            if name.lower() == "charset":
                wanted = value.strip("\"' ").lower().replace("-", "_")
                # Not `codecs.lookup`, which remembers for ever every name it was asked for.
                charset = aliases.get(wanted, wanted)
                return charset if charset in _CHARSETS else "utf_8"
        return "utf_8"


class OutboundError(Exception):
    """Nothing usable came back. `evidence` holds plain values: host, port, address, detail, timeout_seconds, …

    `listener` is that of the request, and `sent_at` the monotonic moment at which a request with a listener went out;
    0 when it never did.
    """

    def __init__(
        self,
        reason: OutboundReason,
        evidence: Mapping[str, Any] | None = None,
        *,
        phases: Mapping[str, float] | None = None,
        duration_ms: float = 0.0,
        started_at: float = 0.0,
        status: int | None = None,
        listener: Listener | None = None,
        sent_at: float = 0.0,
    ) -> None:
        self.reason = reason
        self.evidence: dict[str, Any] = dict(evidence or {})
        self.phases: dict[str, float] = dict(phases or {})
        self.duration_ms = duration_ms
        self.started_at = started_at
        self.status = status
        self.listener = listener
        self.sent_at = sent_at
        detail = self.evidence.get("detail") or self.evidence.get("host") or ""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
