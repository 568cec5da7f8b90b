"""The one place that configures a curl handle: for the engine's loop and for the synchronous door alike."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.outbound.answer import Answer
from apps.core.outbound.locations import Location

USER_AGENT = "monitor-portal/1 (probe)"
# What libcurl unpacks for us, piece by piece, so that a bomb is met by our own count.
ACCEPT_ENCODING = "gzip, deflate, br"
_BUFFER_BYTES = 64 * 1024


class _Descriptor:
    """An open socket as pycurl wants it: it copies the descriptor and lets this go, which is no leak to warn about."""

    def __init__(self, opened: socket.socket) -> None:
        self._number = opened.detach()

    def fileno(self) -> int:
        return self._number

    def __del__(self) -> None:
        os.close(self._number)


class SocketGuard:
    """libcurl's socket-open callback: the last look at the address that is really contacted."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self.denied: tuple[str, str] | None = None
        self.problem = ""

    def open(self, purpose: int, address: Any) -> Any:
        """A socket for `address`, or pycurl.SOCKET_BAD. Raises nothing: libcurl could not pass it on."""
        host = str(address.addr[0])
        rule = self._policy.refusal(host)
        if rule is not None:
            self.denied = (host, rule)
            return pycurl.SOCKET_BAD
        try:
            return _Descriptor(socket.socket(address.family, address.socktype, address.protocol))
        except OSError as error:
            self.problem = error.strerror or "no socket"
            return pycurl.SOCKET_BAD


@lru_cache(maxsize=1)
def trusted_certificates() -> str:
    """The file of trusted certificates: SSL_CERT_FILE, else the system's, else certifi's."""
    paths = ssl.get_default_verify_paths()
    candidates = (os.environ.get("SSL_CERT_FILE"), paths.cafile, "/etc/ssl/certs/ca-certificates.crt")
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    import certifi  # noqa: PLC0415 - only a machine without certificates of its own needs it

    return certifi.where()


def configure(  # noqa: PLR0913 - a handle has this many sides, each of them named
    handle: pycurl.Curl,
    *,
    location: Location,
    addresses: Sequence[str],
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout_seconds: float,
    verify_tls: bool,
    ca_file: str,
    guard: SocketGuard,
    answer: Answer,
) -> None:
    """Set a clean handle up for one request to one location, whose name was already looked up."""
    set_option = handle.setopt
    handle.reset()
    set_option(pycurl.URL, location.url)
    set_option(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    set_option(pycurl.FOLLOWLOCATION, 0)
    set_option(pycurl.PROXY, "")
    set_option(pycurl.NOPROXY, "*")
    set_option(pycurl.NOSIGNAL, 1)
    set_option(pycurl.FRESH_CONNECT, 1)
    set_option(pycurl.FORBID_REUSE, 1)
    set_option(pycurl.TIMEOUT_MS, max(1, int(timeout_seconds * 1000)))
    set_option(pycurl.CONNECTTIMEOUT_MS, max(1, int(timeout_seconds * 1000)))
    set_option(pycurl.BUFFERSIZE, _BUFFER_BYTES)
    set_option(pycurl.ACCEPT_ENCODING, ACCEPT_ENCODING)
    set_option(pycurl.HEADERFUNCTION, answer.on_header)
    set_option(pycurl.WRITEFUNCTION, answer.on_body)
    set_option(pycurl.OPENSOCKETFUNCTION, guard.open)
    if location.address is None:
        # The leading "+" lets the entry expire: libcurl keeps it in a cache that all handles of a loop share.
        shown = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        set_option(pycurl.RESOLVE, [f"+{location.host}:{location.port}:{shown}"])
    _set_method(handle, method, headers, body)
    if location.scheme == "https":
        _set_tls(handle, verify_tls, ca_file)


def _set_method(handle: pycurl.Curl, method: str, headers: Mapping[str, str], body: bytes | None) -> None:
    if method == "HEAD":
        handle.setopt(pycurl.NOBODY, 1)
    elif method != "GET" or body:
        if body is not None:
            handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(pycurl.CUSTOMREQUEST, method)
    given = {name.lower() for name in headers}
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    if "user-agent" not in given:
        lines.append(f"User-Agent: {USER_AGENT}")
    # Without this libcurl holds larger bodies back, waiting a second for a "100 Continue".
    lines.append("Expect:")
    if body and "content-type" not in given:
        lines.append("Content-Type:")
    handle.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])


def _set_tls(handle: pycurl.Curl, verify_tls: bool, ca_file: str) -> None:
    handle.setopt(pycurl.SSL_VERIFYPEER, 1 if verify_tls else 0)
    handle.setopt(pycurl.SSL_VERIFYHOST, 2 if verify_tls else 0)
    handle.setopt(pycurl.CAINFO, ca_file or trusted_certificates())
    handle.setopt(pycurl.OPT_CERTINFO, 1)
    handle.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
