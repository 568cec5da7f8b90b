"""From libcurl's error numbers to our reasons."""

from __future__ import annotations

import errno
from typing import Any

import pycurl

from apps.core.details import words
from apps.core.outbound.answer import MAX_HEADER_BYTES, MAX_HEADER_LINES, Answer
from apps.core.outbound.exchange import OutboundReason
from apps.core.outbound.handles import SocketGuard
from apps.core.outbound.problems import Problem

Failure = tuple[OutboundReason, dict[str, Any]]

# OpenSSL's verification results (x509_vfy.h)
_NOT_YET_VALID = 9
_EXPIRED = 10
# 62 and 64 are OpenSSL's own; libcurl compares names itself once the chain is fine, and leaves 0 or "unspecified".
_NAME_MISMATCHES = frozenset({0, 1, 62, 64})

# Everything else libcurl complains about is the server not keeping to the protocol.
_BY_CODE = {
    pycurl.E_PARTIAL_FILE: OutboundReason.CONNECTION_RESET,
    pycurl.E_RECV_ERROR: OutboundReason.CONNECTION_RESET,
    pycurl.E_SEND_ERROR: OutboundReason.CONNECTION_RESET,
    pycurl.E_GOT_NOTHING: OutboundReason.EMPTY_RESPONSE,
    pycurl.E_SSL_CONNECT_ERROR: OutboundReason.TLS_ERROR,
    pycurl.E_COULDNT_RESOLVE_HOST: OutboundReason.DNS_ERROR,
    pycurl.E_SSL_CACERT_BADFILE: OutboundReason.INTERNAL_ERROR,
    pycurl.E_OUT_OF_MEMORY: OutboundReason.INTERNAL_ERROR,
    pycurl.E_URL_MALFORMAT: OutboundReason.INVALID_CONFIGURATION,
}
_BY_ERRNO = {
    errno.ECONNREFUSED: OutboundReason.CONNECT_REFUSED,
    errno.EHOSTUNREACH: OutboundReason.UNREACHABLE,
    errno.ENETUNREACH: OutboundReason.UNREACHABLE,
    errno.EADDRNOTAVAIL: OutboundReason.UNREACHABLE,
    errno.EACCES: OutboundReason.UNREACHABLE,
    errno.EPERM: OutboundReason.UNREACHABLE,
    errno.ETIMEDOUT: OutboundReason.CONNECT_TIMEOUT,
    errno.ECONNRESET: OutboundReason.CONNECTION_RESET,
}


def curl_failure(  # noqa: PLR0911 - a table of exceptions, then the table itself
    handle: pycurl.Curl,
    code: int,
    message: str,
    *,
    is_tls: bool,
    answer: Answer,
    guard: SocketGuard,
    connect_timeout_seconds: float | None = None,
) -> Failure:
    """The reason of a transfer that libcurl (or one of our callbacks) ended, with what is special to it as evidence."""
    detail = {"detail": message.strip().rstrip(".")[:300]} if message else {}
    if guard.denied is not None:
        return OutboundReason.ADDRESS_DENIED, {"address": guard.denied[0], "rule": guard.denied[1]}
    if guard.problem:
        return OutboundReason.INTERNAL_ERROR, {"detail": guard.problem}
    if answer.ended_by_us:
        return _ended_by_us(handle, answer)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _timeout(handle, is_tls, connect_timeout_seconds, reused=not guard.asked)
    if code == pycurl.E_COULDNT_CONNECT:
        reason = _BY_ERRNO.get(int(handle.getinfo(pycurl.OS_ERRNO)), OutboundReason.CONNECT_REFUSED)
        return reason, {"phase": "connect", **detail}
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        return _verification(handle), {"phase": "tls", **detail}
    if code == pycurl.E_RECV_ERROR and "nghttp2" in message:
        return OutboundReason.PROTOCOL_ERROR, detail
    if code in (pycurl.E_SSL_CONNECT_ERROR, pycurl.E_RECV_ERROR) and _was_reset(handle, message):
        return OutboundReason.CONNECTION_RESET, detail
    wordless = words(Problem.LIBCURL_NUMBER, number=code).to_evidence
    return _BY_CODE.get(code, OutboundReason.PROTOCOL_ERROR), detail or wordless()


def _ended_by_us(handle: pycurl.Curl, answer: Answer) -> Failure:
    if answer.ended_by_us == "headers":
        limits = words(Problem.LARGE_HEADERS, kilobytes=MAX_HEADER_BYTES // 1024, lines=MAX_HEADER_LINES)
        return OutboundReason.PROTOCOL_ERROR, limits.to_evidence()
    wire_bytes = int(handle.getinfo(pycurl.SIZE_DOWNLOAD_T))
    limit = {"expected": answer.max_bytes}
    # Ordinary text packs to a tenth or so; what grows more was made to.
    if answer.is_compressed and answer.body_bytes > 10 * wire_bytes:
        return OutboundReason.DECOMPRESSION_BOMB, limit
    return OutboundReason.BODY_TOO_LARGE, limit


def _timeout(handle: pycurl.Curl, is_tls: bool, connect_seconds: float | None, *, reused: bool) -> Failure:
    # A clock of its own for connecting runs until the connection can be used, so with TLS.
    own = {} if connect_seconds is None else {"timeout_seconds": connect_seconds}
    if not (reused or handle.getinfo(pycurl.CONNECT_TIME)):
        return OutboundReason.CONNECT_TIMEOUT, {"phase": "connect", **own}
    # libcurl sets the later times when it gives up inside a handshake, so this one is asked first.
    if is_tls and not reused and not handle.getinfo(pycurl.APPCONNECT_TIME):
        return OutboundReason.CONNECT_TIMEOUT if own else OutboundReason.TIMEOUT, {"phase": "tls", **own}
    if not handle.getinfo(pycurl.STARTTRANSFER_TIME):
        return OutboundReason.TIMEOUT, {"phase": "first_byte"}
    return OutboundReason.SLOW_RESPONSE, {"phase": "transfer"}


def _verification(handle: pycurl.Curl) -> OutboundReason:
    result = int(handle.getinfo(pycurl.SSL_VERIFYRESULT))
    if result == _EXPIRED:
        return OutboundReason.TLS_EXPIRED
    if result == _NOT_YET_VALID:
        return OutboundReason.TLS_NOT_YET_VALID
    if result in _NAME_MISMATCHES:
        return OutboundReason.TLS_WRONG_HOST
    return OutboundReason.TLS_UNTRUSTED


def _was_reset(handle: pycurl.Curl, message: str) -> bool:
    return int(handle.getinfo(pycurl.OS_ERRNO)) == errno.ECONNRESET or "reset by peer" in message.lower()
