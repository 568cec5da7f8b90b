"""How often one address may answer messages: enough for a bad night, not enough to make thousands of silences."""

from __future__ import annotations

import hashlib
from ipaddress import ip_address

import structlog
from django.core.cache import cache
from django.http import HttpRequest

from apps.core import clock
from apps.core.outages import VALKEY_ERRORS

logger = structlog.get_logger(__name__)

ANSWERS_A_MINUTE = 20
WINDOW_SECONDS = 60


def is_too_often(request: HttpRequest) -> bool:
    """Count one answer from this address, and say whether it was one too many.

    Without Valkey nobody is counted: acknowledging an outage matters most while something is down.
    """
    window = int(clock.now().timestamp()) // WINDOW_SECONDS
    key = f"replies:{hashlib.sha256(address_of(request).encode()).hexdigest()[:32]}:{window}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return int(cache.incr(key)) > ANSWERS_A_MINUTE
    except ValueError:  # the key ended between the two steps
        return False
    except VALKEY_ERRORS as error:
        logger.warning("replies_not_counted", error=type(error).__name__)
        return False


def address_of(request: HttpRequest) -> str:
    """Who asks; behind a proxy on this machine, whom that says. Its own word is the last of the header's."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return forwarded if _is_address(forwarded) and _is_loopback(peer) else peer


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    return _is_address(text) and ip_address(text).is_loopback
