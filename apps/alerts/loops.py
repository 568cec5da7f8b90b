"""Whether a URL leads to the portal itself, as far as that can be seen before anything is sent.

What cannot be seen (a proxy, a name that will lead here tomorrow) is met at run time: what the door sends carries our
mark, and our own edge answers 508 to it.
"""

from __future__ import annotations

import socket
from concurrent.futures import TimeoutError as LookupTimeout

from django.conf import settings

from apps.core.outbound.exchange import OutboundError
from apps.core.outbound.locations import BadLocation, Location, parse_location
from apps.core.outbound.names import Names, default_names

_WEB_PORTS = {80, 443}
_LOOKUP_SECONDS = 1.0


def leads_home(url: str, names: Names | None = None) -> bool:
    """Whether `url` is the address people use, or that of our web process by whatever name of this machine."""
    try:
        location = parse_location(url)
    except BadLocation:
        return False
    return _is_public_address(location) or _is_web_process(location, names or default_names())


def _is_public_address(location: Location) -> bool:
    """One host with and without TLS is one portal: the one redirects to the other."""
    try:
        home = parse_location(settings.PORTAL_WEB_URL)
    except BadLocation:
        return False
    same_port = location.port == home.port or {location.port, home.port} <= _WEB_PORTS
    return location.host == home.host and same_port


def _is_web_process(location: Location, names: Names) -> bool:
    """Only a URL with our port is looked up, so saving another one asks no name server."""
    if location.port != settings.PORTAL_PORT:
        return False
    return any(_listens_at(address) for address in _addresses(location, names))


def _addresses(location: Location, names: Names) -> tuple[str, ...]:
    try:
        return names.look_up(location.host).result(timeout=_LOOKUP_SECONDS)
    except (OutboundError, LookupTimeout):
        return ()


def _listens_at(address: str) -> bool:
    """The address the web process listens on, or any of this machine's when it listens on all of them."""
    if settings.PORTAL_HOST in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not listened on
        return _is_of_this_machine(address)
    return address == settings.PORTAL_HOST or (settings.PORTAL_HOST == "localhost" and address in ("127.0.0.1", "::1"))


def _is_of_this_machine(address: str) -> bool:
    """Only an address of one's own can be bound to; a datagram socket disturbs nobody."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
