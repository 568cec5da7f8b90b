"""From the errors of plain sockets and of Python's TLS to our reasons."""

from __future__ import annotations

import errno
import os
import ssl

from apps.core.details import words
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.problems import Problem

_CONNECT_REASONS = {
    errno.ECONNREFUSED: OutboundReason.CONNECT_REFUSED,
    errno.ETIMEDOUT: OutboundReason.CONNECT_TIMEOUT,
    errno.ECONNRESET: OutboundReason.CONNECTION_RESET,
}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
# OpenSSL's verification results (x509_vfy.h)
_TLS_REASONS = {
    9: OutboundReason.TLS_NOT_YET_VALID,
    10: OutboundReason.TLS_EXPIRED,
    62: OutboundReason.TLS_WRONG_HOST,
    64: OutboundReason.TLS_WRONG_HOST,
}
_OUR_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def as_the_system_says(number: int) -> OSError:
    """The error of a number of `errno`, for what we found out by ourselves, in the operating system's own words."""
    return OSError(number, os.strerror(number))


def connect_failure(error: OSError) -> OutboundError:
    """The reason of a connection that did not come about."""
    detail = {"detail": (error.strerror or type(error).__name__)[:200]}
    if error.errno in _OUR_LIMITS:
        return OutboundError(OutboundReason.INTERNAL_ERROR, detail)
    if error.errno in _UNREACHABLE:
        return OutboundError(OutboundReason.UNREACHABLE, detail)
    return OutboundError(_CONNECT_REASONS.get(error.errno or 0, OutboundReason.CONNECTION_RESET), detail)


def tls_failure(error: ssl.SSLError) -> OutboundError:
    """The reason of a TLS handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _TLS_REASONS.get(error.verify_code, OutboundReason.TLS_UNTRUSTED)
        return OutboundError(reason, {"detail": error.verify_message})
    wordless = words(Problem.HANDSHAKE).to_evidence
    return OutboundError(OutboundReason.TLS_ERROR, {"detail": error.reason} if error.reason else wordless())
