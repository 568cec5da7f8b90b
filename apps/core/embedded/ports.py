"""Finding TCP ports that are free now and likely to stay free for a restart."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection

from apps.core.embedded.errors import LauncherError

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections, so that no client of ours takes the port during a restart.
_FREE_RANGE = range(20_000, 32_000)
_MOST_TRIES = 200


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `host:port` right now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*preferred: int, taken: Collection[int] = ()) -> int:
    """The first free port among `preferred`, else a random free one; never one of `taken`."""
    tries = [*preferred, *random.sample(_FREE_RANGE, _MOST_TRIES)]
    for port in tries:
        if port not in taken and is_free(port):
            return port
    raise LauncherError(f"no free TCP port was found on {LOOPBACK} in {_FREE_RANGE.start}-{_FREE_RANGE.stop - 1}")


def next_free_port(first: int, host: str) -> int:
    """The first free port at or after `first` on `host`, looking at no more than 200."""
    for port in range(first, min(first + _MOST_TRIES, 65_536)):
        if is_free(port, host):
            return port
    raise LauncherError(f"no free TCP port was found on {host} from {first} on; set PORTAL_PORT to a free one")


def accepts(port: int, host: str = LOOPBACK, *, seconds: float = 0.5) -> bool:
    """Whether something answers a TCP connection on `host:port`."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return True
    except OSError:
        return False
