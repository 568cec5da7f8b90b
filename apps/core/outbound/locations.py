"""URLs and hosts: read once, strictly, and written again, so that what was checked is what libcurl is given."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

from apps.core.details import Value, words
from apps.core.outbound.problems import Problem

MAX_URL = 4_096
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff\\]")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_SAFE = "%/:=&?~+!$,;'@()*[]"


class BadLocation(ValueError):
    """A URL or a host is not usable; `words` say what would be right."""

    def __init__(self, code: Problem, **values: Value) -> None:
        self.words = words(code, **values)
        super().__init__(str(self.words))

    @property
    def sentence(self) -> str:
        """The words in the active language."""
        return self.words.said()


@dataclass(frozen=True, slots=True)
class Location:
    """Where a request goes. `host` is ASCII, lower case, without brackets; `url` is rebuilt from the parts."""

    scheme: str
    host: str
    port: int
    url: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def address(self) -> str | None:
        """The address, when the host is one and not a name."""
        return literal_address(self.host)


@lru_cache(maxsize=4_096)
def parse_location(url: str) -> Location:
    """Read an http or https URL. Raises BadLocation."""
    if len(url) > MAX_URL:
        raise BadLocation(Problem.URL_TOO_LONG, limit=MAX_URL)
    if _FORBIDDEN.search(url):
        raise BadLocation(Problem.URL_CHARACTERS)
    scheme = url.partition("://")[0].lower()
    if scheme not in _DEFAULT_PORTS or "://" not in url:
        raise BadLocation(Problem.URL_SCHEME)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadLocation(Problem.URL_UNREADABLE) from None
    if "@" in parts.netloc:
        raise BadLocation(Problem.URL_CREDENTIALS)
    if port == 0:
        raise BadLocation(Problem.URL_PORT)
    host = parse_host(parts.hostname or "")
    shown = f"[{host}]" if ":" in host else host
    if port and port != _DEFAULT_PORTS[scheme]:
        shown += f":{port}"
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Location(scheme, host, port or _DEFAULT_PORTS[scheme], f"{scheme}://{shown}{path}{query}")


def parse_redirect(base: Location, target: str) -> Location:
    """Where a Location header leads: resolved against `base`, spaces encoded. Raises BadLocation."""
    # Header bytes arrive as Latin-1; what is not ASCII was UTF-8 on the wire.
    cleaned = quote(target.strip().encode("latin-1", "replace"), safe=_SAFE + "#")
    try:
        return parse_location(urljoin(base.url, cleaned))
    except ValueError as error:
        raise error if isinstance(error, BadLocation) else BadLocation(Problem.URL_UNREADABLE) from None


def parse_host(host: str) -> str:
    """A host name or address as ASCII in lower case. Raises BadLocation."""
    host = host.strip("[]") if ":" in host else host
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise BadLocation(Problem.HOST_NO_IPV6) from None
    try:
        name = host.rstrip(".").encode("idna").decode().lower() if not host.isascii() else host.rstrip(".").lower()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise BadLocation(Problem.HOST_UNREADABLE)
    if _NUMBER.fullmatch(name.rpartition(".")[2]) and literal_address(name) is None:
        raise BadLocation(Problem.HOST_NO_ADDRESS)
    return name


@lru_cache(maxsize=4_096)
def literal_address(host: str) -> str | None:
    """The address `host` writes out, in its usual form; None for a name. Reads 0x7f.1 and 2130706433 as libc does."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not all(_NUMBER.fullmatch(part) for part in host.split(".")):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
