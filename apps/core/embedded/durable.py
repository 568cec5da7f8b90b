"""The portal's own servers: their data in the state folder, and ports and passwords that stay the same."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.embedded.binaries import find_binaries
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.ports import free_port
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.servers import Startable, choose_data_root
from apps.core.embedded.state import StateFolder, read_json, write_json
from apps.core.embedded.valkey import ValkeyServer

# Not the usual ones: other servers of the machine sit there.
_POSTGRES_PORT = 15_432
_VALKEY_PORT = 16_379


@dataclass(frozen=True)
class OwnServers:
    """The servers to start, in order, and the URLs of both stores, whoever runs them."""

    database_url: str
    redis_url: str
    postgres: PostgresServer | None = None
    valkey: ValkeyServer | None = None
    data_root: Path | None = None

    @property
    def all(self) -> list[Startable]:
        """The embedded servers among them."""
        return [server for server in (self.postgres, self.valkey) if server is not None]


def prepare_servers(project: Path, state: StateFolder, *, redis: bool = True) -> OwnServers:
    """Lay out the data of the servers that the environment does not bring (DATABASE_URL, REDIS_URL).

    Takes a second on the very first call (initdb). Nothing is started.
    """
    database_url, redis_url = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if database_url and (redis_url or not redis):
        return OwnServers(database_url, redis_url)
    root, identity = choose_data_root(state.path)
    binaries = find_binaries(identity, project)
    kept = _KeptAccess(state.path / "servers.json")
    postgres = valkey = None
    if not database_url:
        if (root / "postgres" / "data").exists() and not kept.knows("postgres"):
            raise LauncherError(
                f"the password of the data in {root / 'postgres'} is lost with {state.path / 'servers.json'}: "
                "put that file back, or move the data away and restore a backup"
            )
        port, password = kept.access("postgres", _POSTGRES_PORT)
        postgres = PostgresServer(binaries, identity, root / "postgres", port, password)
        postgres.initialise()
    if not redis_url and redis:
        port, password = kept.access("valkey", _VALKEY_PORT)
        valkey = ValkeyServer(binaries, identity, root / "valkey", port, password)
        valkey.initialise()
    return OwnServers(postgres.url if postgres else database_url, valkey.url if valkey else redis_url, postgres, valkey)


def has_data(state: StateFolder) -> bool:
    """Whether the portal was ever started with a PostgreSQL of its own in this state folder."""
    return "postgres" in read_json(state.path / "servers.json")


class _KeptAccess:
    """Ports and passwords in a private file. A port that somebody else took meanwhile is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: dict[str, Any] = read_json(path)

    def knows(self, name: str) -> bool:
        return bool(self._content.get(name, {}).get("password"))

    def access(self, name: str, preferred_port: int) -> tuple[int, str]:
        kept = self._content.get(name, {})
        taken = [entry["port"] for other, entry in self._content.items() if other != name]
        port = free_port(kept.get("port", preferred_port), taken=taken)
        password = kept.get("password") or secrets.token_urlsafe(24)
        self._content[name] = {"port": port, "password": password}
        self.save()  # before initdb makes the password real
        return port, password

    def save(self) -> None:
        write_json(self._path, self._content)
