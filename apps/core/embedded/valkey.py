"""One embedded Valkey server: write its configuration, start it, ask whether it answers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.embedded.binaries import Binaries
from apps.core.embedded.identity import Identity
from apps.core.embedded.ports import LOOPBACK
from apps.core.embedded.processes import spawn

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class ValkeyServer:
    """Where one server keeps its data and how it is reached. `durable` is false for throw-away test servers."""

    binaries: Binaries
    identity: Identity
    folder: Path
    port: int
    password: str
    durable: bool = True
    name: str = "valkey"
    stop_signal: signal.Signals = signal.SIGTERM  # writes what it holds, then ends

    @property
    def url(self) -> str:
        """The REDIS_URL of database 0."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def initialise(self) -> None:
        """Make the folder and write the configuration, which holds the password and is readable to its user only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        path = self.folder / "valkey.conf"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text("\n".join(self._configuration()) + "\n")
        self.identity.own(path)
        self.identity.own(self.folder)

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Start the server process; `output` takes its log."""
        command: list[str | os.PathLike[str]] = [self.binaries.valkey, self.folder / "valkey.conf"]
        return spawn(
            command,
            environment=_ENVIRONMENT,
            output=output,
            identity=self.identity,
            death_signal=self.stop_signal if self.durable else signal.SIGKILL,
        )

    def is_ready(self, _process: subprocess.Popen[bytes]) -> bool:
        """Whether it answers PING, which it does only once its data is loaded."""
        command = f"AUTH {self.password}\r\nPING\r\n".encode()
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=0.5) as client:
            client.sendall(command)
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := client.recv(256)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"
        return False

    def _configuration(self) -> list[str]:
        return [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.folder}"',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            # Messages are never thrown away to make room: a full server must be seen, not hidden.
            "maxmemory-policy noeviction",
            "loglevel warning",
            "daemonize no",
        ]
