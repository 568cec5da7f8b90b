"""What may be shown of a request and its answer: no user information, no keys, nothing long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from apps.core.kindconfig.fields import is_sensitive_header
from apps.core.kindconfig.secrets import MASK

MAX_SHOWN_URL = 500
_MAX_HEADERS = 40
_MAX_HEADER = 300
# A word of its own in the name: "monkey" and "keyboard" are no keys.
_SENSITIVE_PARAMETER = re.compile(
    r"(^|[-_.])(api)?(key|token|secret|password|passwd|pwd|auth|sig|signature|credential|code)s?($|[-_.])",
    re.IGNORECASE,
)


def safe_url(url: str) -> str:
    """`url` without user information and fragment, values of key-like parameters masked, at most 500 characters."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return MASK
    query = "&".join(_safe_parameter(parameter) for parameter in parts.query.split("&")) if parts.query else ""
    return shortened(urlunsplit((parts.scheme, host, parts.path, query, "")), MAX_SHOWN_URL)


def _safe_parameter(parameter: str) -> str:
    name, separator, value = parameter.partition("=")
    return f"{name}={MASK}" if separator and value and _SENSITIVE_PARAMETER.search(name) else parameter


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """At most 40 headers of at most 300 characters each, sensitive ones masked."""
    shown = {}
    for name, value in list(headers.items())[:_MAX_HEADERS]:
        shown[shortened(name, 100)] = MASK if is_sensitive_header(name) else shortened(value, _MAX_HEADER)
    if "location" in headers:
        shown["location"] = safe_url(headers["location"])
    return shown


def shortened(text: str, limit: int) -> str:
    """`text` of at most `limit` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
