"""What a request may look like, and how a redirect changes it."""

from __future__ import annotations

import re

from apps.core.details import Words, words
from apps.core.outbound.exchange import HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.problems import Problem

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# These decide where a message ends; set by hand they would let a request smuggle another.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})


def header_problem(name: str, value: str) -> Words | None:
    """Why this header cannot be sent, as a whole sentence; None when it can."""
    if not _TOKEN.fullmatch(name):
        return words(Problem.HEADER_NAME)
    if name.lower() in _FRAMING:
        return words(Problem.HEADER_FRAMING, name=name)
    if _FORBIDDEN_IN_VALUE.search(value):
        return words(Problem.HEADER_VALUE, name=name)
    return None


def refuse_bad_request(request: HttpRequest) -> None:
    """Raises OutboundError (`invalid_configuration`) for a method or a header that cannot be sent."""
    if not re.fullmatch(r"[A-Z]{1,20}", request.method):
        raise OutboundError(OutboundReason.INVALID_CONFIGURATION, words(Problem.METHOD).to_evidence())
    for name, value in request.headers.items():
        problem = header_problem(name, value)
        if problem is not None:
            raise OutboundError(OutboundReason.INVALID_CONFIGURATION, problem.to_evidence())


def method_after(status: int, method: str, body: bytes | None) -> tuple[str, bytes | None]:
    """The method and body of the request a redirect asks for, as browsers and RFC 9110 have it."""
    if status == 303 and method != "HEAD":
        return "GET", None
    if status in (301, 302) and method == "POST":
        return "GET", None
    return method, body
