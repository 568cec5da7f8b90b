"""The one place that configures a curl handle: for the engine's loop and for the synchronous door alike."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.outbound.answer import Answer
from apps.core.outbound.exchange import HttpRequest
from apps.core.outbound.hearing import HeardAnswer
from apps.core.outbound.locations import Location

USER_AGENT = "monitor-portal/1 (probe)"
# What libcurl unpacks for us, piece by piece, so that a bomb is met by our own count.
ACCEPT_ENCODING = "gzip, deflate, br"
_BUFFER_BYTES = 64 * 1024
# Without "Expect:" libcurl holds larger bodies back, waiting a second for a "100 Continue".
_PLAIN_HEADERS = [f"User-Agent: {USER_AGENT}".encode(), b"Expect:"]
# "auto": HTTP/2 when a server offers it during the TLS handshake, else HTTP/1.1. Without TLS always HTTP/1.1.
_VERSIONS = {"auto": pycurl.CURL_HTTP_VERSION_2TLS, "1.1": pycurl.CURL_HTTP_VERSION_1_1}
_OWN_KEY = os.urandom(16)


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
        # Whether a socket was asked for: a request on a kept connection needs none.
        self.asked = False

    def open(self, purpose: int, address: Any) -> Any:
        """A socket for `address`, or pycurl.SOCKET_BAD. Raises nothing: libcurl could not pass it on."""
        self.asked = True
        host = str(address.addr[0])
        rule = self._policy.refusal(host)
        if rule is not None:
            self.denied = (host, rule)
            return pycurl.SOCKET_BAD
        try:
            return _Descriptor(socket.socket(address.family, address.socktype, address.protocol))
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
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


class Handle:
    """A curl handle that serves one request after another: only what differs from the last time is set anew.

    What is special to one request (a method, a body, headers, a kept connection) is taken off again by `release`, so
    that no handle carries anything of one check into another.
    """

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self.answer: Answer | None = None
        self.guard: SocketGuard | None = None
        self._plain = True
        self._set: dict[int, Any] = {}
        # The host and port whose entry this handle left in libcurl's cache of names.
        self._named = ""
        # What libcurl was told to connect to instead of the host's name; empty for the name itself.
        self._stand_in = ""
        self._begin()

    def _begin(self) -> None:
        """What is the same for every request."""
        set_option = self.curl.setopt
        set_option(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        set_option(pycurl.FOLLOWLOCATION, 0)
        set_option(pycurl.PROXY, "")
        set_option(pycurl.NOPROXY, "*")
        set_option(pycurl.NOSIGNAL, 1)
        set_option(pycurl.FRESH_CONNECT, 1)
        set_option(pycurl.FORBID_REUSE, 1)
        set_option(pycurl.BUFFERSIZE, _BUFFER_BYTES)
        set_option(pycurl.ACCEPT_ENCODING, ACCEPT_ENCODING)
        set_option(pycurl.OPT_CERTINFO, 1)
        set_option(pycurl.SSL_SESSIONID_CACHE, 0)
        set_option(pycurl.HTTPHEADER, _PLAIN_HEADERS)
        set_option(pycurl.HEADERFUNCTION, self._on_header)
        set_option(pycurl.WRITEFUNCTION, self._on_body)
        set_option(pycurl.OPENSOCKETFUNCTION, self._open)
        self._plain = True
        self._stand_in = ""
        self._set.clear()

    def prepare(  # noqa: PLR0913 - a request has this many sides, each of them named
        self,
        *,
        location: Location,
        addresses: Sequence[str],
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_seconds: float,
        request: HttpRequest,
        ca_file: str,
        policy: AddressPolicy,
    ) -> None:
        """Set up for one hop of `request` to one location, whose name was already looked up."""
        if not self._plain:
            self._reset()
        if request.listener is None:
            self.answer = Answer(request, follow=request.max_redirects > 0)
        else:
            self._listen(HeardAnswer(request, request.listener))
        self.guard = SocketGuard(policy)
        self.curl.setopt(pycurl.URL, location.url)
        milliseconds = max(1, int(timeout_seconds * 1000))
        self._option(pycurl.TIMEOUT_MS, milliseconds)
        connecting = request.connect_timeout_seconds
        if connecting is not None:
            milliseconds = max(1, min(int(connecting * 1000), milliseconds))
        self._option(pycurl.CONNECTTIMEOUT_MS, milliseconds)
        if request.reuse_connection:
            self._keep_connection(location, addresses, headers)
        else:
            self._pin(location, addresses)
        if method != "GET" or headers or body:
            self._plain = False
            _set_method(self.curl, method, headers, body)
        if location.scheme == "https":
            self._set_tls(request, ca_file)

    def _listen(self, answer: HeardAnswer) -> None:
        self._plain = False
        self.answer = answer
        self.curl.setopt(pycurl.PREREQFUNCTION, answer.on_sent)

    def readable(self, message: str, host: str) -> str:
        """A message of libcurl's about the present request, with the name a person knows."""
        return message.replace(self._stand_in, host) if self._stand_in else message

    def release(self) -> None:
        """Let go of the answer and of all that is special, now and not when the handle is next used."""
        self.answer, self.guard = None, None
        if not self._plain:
            self._reset()

    def close(self) -> None:
        """Free it; it is of no further use."""
        self.curl.close()

    def _reset(self) -> None:
        self.curl.reset()
        self._begin()

    def _option(self, option: int, value: Any) -> None:
        if self._set.get(option) != value:
            self.curl.setopt(option, value)
            self._set[option] = value

    def _pin(self, location: Location, addresses: Sequence[str]) -> None:
        """Lead the name to the addresses that were checked.

        libcurl keeps each entry for a minute, in a cache it walks at the end of every request: with thousands of names
        that walk costs more than the request. So each use of a handle removes what the use before it left, and says
        anew what it needs: libcurl reads a list once, and the entry may be gone since, removed by another handle or
        too old. Without it libcurl would look the name up by itself.
        """
        named = f"{location.host}:{location.port}"
        entries = [f"-{self._named}"] if self._named not in ("", named) else []
        if location.address is None:
            # The leading "+" lets the entry expire.
            entries.append(f"+{named}:{_joined(addresses)}")
        self._named = named
        if entries:
            self.curl.setopt(pycurl.RESOLVE, entries)

    def _keep_connection(self, location: Location, addresses: Sequence[str], headers: Mapping[str, str]) -> None:
        """Take a connection that was kept, or keep the new one, among those of the same addresses and credentials.

        libcurl itself keeps connections of different TLS settings apart, but not of different headers, and it goes by
        the name of the host, which may lead elsewhere by now. So it is told to connect to a name that stands for both.
        """
        self._plain = False
        stand_in = self._stand_in = _stand_in(location, addresses, headers)
        self.curl.setopt(pycurl.FRESH_CONNECT, 0)
        self.curl.setopt(pycurl.FORBID_REUSE, 0)
        shown = f"[{location.host}]" if ":" in location.host else location.host
        self.curl.setopt(pycurl.CONNECT_TO, [f"{shown}:{location.port}:{stand_in}:{location.port}"])
        # Not removed after use: a kept connection that turns out to be dead is opened again from this entry.
        self.curl.setopt(pycurl.RESOLVE, [f"+{stand_in}:{location.port}:{_joined(addresses)}"])

    def _set_tls(self, request: HttpRequest, ca_file: str) -> None:
        self._option(pycurl.SSL_VERIFYPEER, 1 if request.verify_tls else 0)
        self._option(pycurl.SSL_VERIFYHOST, 2 if request.verify_tls else 0)
        self._option(pycurl.CAINFO, ca_file or trusted_certificates())
        self._option(pycurl.HTTP_VERSION, _VERSIONS[request.http_version])

    # libcurl's callbacks. Between two requests nobody listens.

    def _on_header(self, line: bytes) -> int | None:
        return self.answer.on_header(line) if self.answer is not None else -1

    def _on_body(self, chunk: bytes) -> int | None:
        return self.answer.on_body(chunk) if self.answer is not None else -1

    def _open(self, purpose: int, address: Any) -> Any:
        return self.guard.open(purpose, address) if self.guard is not None else pycurl.SOCKET_BAD


def _joined(addresses: Sequence[str]) -> str:
    return ",".join(f"[{address}]" if ":" in address else address for address in addresses)


def _stand_in(location: Location, addresses: Sequence[str], headers: Mapping[str, str]) -> str:
    """A name for these addresses asked with these headers. Nobody can look it up or find out what it was made from."""
    told = repr((location.origin, sorted(addresses), sorted(headers.items())))
    return f"{blake2b(told.encode('utf-8', 'replace'), key=_OWN_KEY, digest_size=16).hexdigest()}.invalid"


def _set_method(curl: pycurl.Curl, method: str, headers: Mapping[str, str], body: bytes | None) -> None:
    if method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif method != "GET" or body:
        if body is not None:
            curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.CUSTOMREQUEST, method)
    given = {name.lower() for name in headers}
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    if "user-agent" not in given:
        lines.append(f"User-Agent: {USER_AGENT}")
    lines.append("Expect:")
    if body and "content-type" not in given:
        lines.append("Content-Type:")
    curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])
