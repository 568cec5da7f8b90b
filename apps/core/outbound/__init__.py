"""The only door out. Whatever leaves the portal by HTTP leaves through here, and every address is checked twice:
when its name was looked up, and again when the socket opens.
"""

from __future__ import annotations

from apps.core.outbound.door import request
from apps.core.outbound.exchange import Exchange, HttpRequest, Listener, OutboundError, OutboundReason
from apps.core.outbound.locations import BadLocation, parse_location
from apps.core.outbound.requests import header_problem
from apps.core.outbound.showing import safe_headers, safe_url

__all__ = [
    "BadLocation",
    "Exchange",
    "HttpRequest",
    "Listener",
    "OutboundError",
    "OutboundReason",
    "header_problem",
    "parse_location",
    "request",
    "safe_headers",
    "safe_url",
]
