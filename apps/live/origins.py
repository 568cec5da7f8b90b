"""Who may open a socket with a browser's cookies: our own pages only.

Browsers send cookies along with a WebSocket handshake from any page, so the Origin header is what tells ours from a
foreign one. It is compared with the Host header rather than with ALLOWED_HOSTS, which is open by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own_origin(origin: str | None, host: str | None, trusted: Iterable[str]) -> bool:
    """True when `origin` names the host that was asked, or one of `trusted` ("https://*.example.org").

    The scheme is not compared with ours: behind a proxy that ends TLS we see plain http. A missing Origin is
    refused, because every browser sends one.
    """
    page = _split(origin or "")
    if page is None:
        return False
    if host and _names_host(page, host):
        return True
    return any(_is_trusted(page, pattern) for pattern in trusted)


def _split(origin: str) -> SplitResult | None:
    try:
        parts = urlsplit(origin)
        port = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    return parts if parts.scheme in _DEFAULT_PORTS and parts.hostname and port != 0 else None


def _port(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS[parts.scheme]


def _names_host(page: SplitResult, host: str) -> bool:
    # A Host without a port means the default port of the scheme the browser used.
    asked = _split(f"{page.scheme}://{host}")
    return asked is not None and asked.hostname == page.hostname and _port(asked) == _port(page)


def _is_trusted(page: SplitResult, pattern: str) -> bool:
    trusted = _split(pattern)
    if trusted is None or trusted.hostname is None or page.hostname is None:
        return False
    return trusted.scheme == page.scheme and _port(trusted) == _port(page) and _matches(page.hostname, trusted.hostname)


def _matches(hostname: str, pattern: str) -> bool:
    """As Django's CSRF check: `*.example.org` is the domain with everything below it."""
    if not pattern.startswith("*."):
        return hostname == pattern
    return hostname == pattern[2:] or hostname.endswith(pattern[1:])
