"""A Valkey server that a test may stop, hang and start again on the same port."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from apps.core.embedded.binaries import find_binaries
from apps.core.embedded.identity import choose_identity
from apps.core.embedded.ports import free_port
from apps.core.embedded.valkey import ValkeyServer
from tests.live.waiting import wait_until
from tests.live.web_process import PROJECT


class BreakableValkey:
    """`url` is that of database 0, `url_of(2)` that of another."""

    def __init__(self, server: ValkeyServer) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self.url = server.url

    def url_of(self, database: int) -> str:
        return self.url.removesuffix("/0") + f"/{database}"

    def start(self) -> None:
        with Path("/dev/null").open("wb") as output:
            process = self._process = self._server.start(output)
        wait_until(lambda: self._server.is_ready(process), "Valkey to answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Keep all connections open and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def breakable_valkey() -> Iterator[BreakableValkey]:
    """A started one; gone at the end."""
    identity = choose_identity()
    with tempfile.TemporaryDirectory(prefix="portal-valkey-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = ValkeyServer(
            find_binaries(identity, PROJECT), identity, folder / "valkey", free_port(), "secret", durable=False
        )
        server.initialise()
        valkey = BreakableValkey(server)
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.stop()
