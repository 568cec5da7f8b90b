"""What the launcher itself reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.ports import LOOPBACK

_DEFAULT_PORT = 8000
_MOST_PROBE_WORKERS = 32
_EVERY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True)
class WebAddress:
    """Where the web process listens."""

    host: str
    port: int

    @property
    def connect_host(self) -> str:
        """The address that reaches it from this machine."""
        return _EVERY_ADDRESS.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The URL that reaches it from this machine."""
        host = f"[{self.connect_host}]" if ":" in self.connect_host else self.connect_host
        return f"http://{host}:{self.port}"


def wanted_address() -> WebAddress:
    """PORTAL_HOST and PORTAL_PORT. Raises LauncherError for a port that is none."""
    host = os.environ.get("PORTAL_HOST") or LOOPBACK
    text = os.environ.get("PORTAL_PORT") or str(_DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise LauncherError(f"PORTAL_PORT={text!r} is not a port: use a number from 1 to 65535", exit_code=2)
    return WebAddress(host, int(text))


def wanted_probe_workers() -> int:
    """PORTAL_PROBE_WORKERS: probe workers beside the portal's own. Raises LauncherError for what is no such number."""
    text = os.environ.get("PORTAL_PROBE_WORKERS") or "0"
    if not text.isdecimal() or int(text) > _MOST_PROBE_WORKERS:
        raise LauncherError(
            f"PORTAL_PROBE_WORKERS={text!r} is not a number of workers: use 0 to {_MOST_PROBE_WORKERS}", exit_code=2
        )
    return int(text)
