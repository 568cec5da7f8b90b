"""What the two embedded servers have in common: where their data lives, and starting one until it answers."""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

from apps.core.embedded import processes
from apps.core.embedded.binaries import SYSTEM_FOLDER
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity, choose_identity
from apps.core.embedded.logs import Logs
from apps.core.embedded.state import write_private

_POLL_SECONDS = 0.01


class Startable(Protocol):
    """Something the launcher keeps running: `start` gives its process, `is_ready` tells when that one can be used."""

    @property
    def name(self) -> str: ...

    @property
    def stop_signal(self) -> signal.Signals: ...

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]: ...

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool: ...


class NotStartedError(LauncherError):
    """A server ended, or did not answer in time; the message carries the end of its log."""


def start_together(
    servers: Sequence[Startable], logs: Logs, *, seconds: float = 60, tick: Callable[[], None] | None = None
) -> list[subprocess.Popen[bytes]]:
    """Start servers side by side and return their processes once all of them answer; `tick` is called meanwhile.

    Raises NotStartedError after ending the ones that did start.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        for server in servers:
            with logs.open(server.name) as output:
                started.append(server.start(output))
        deadline = time.monotonic() + seconds
        for server, process in zip(servers, started, strict=True):
            while not server.is_ready(process):
                _still_hopeful(server, process, deadline, logs)
                time.sleep(_POLL_SECONDS)
                if tick is not None:
                    tick()
    except BaseException:
        for process in started:
            processes.stop(process, number=signal.SIGTERM, seconds=2)
        raise
    return started


def _still_hopeful(server: Startable, process: subprocess.Popen[bytes], deadline: float, logs: Logs) -> None:
    end_of_log = f"its log {logs.path(server.name)} ends with:\n{logs.tail(server.name)}"
    if process.poll() is not None:
        raise NotStartedError(f"{server.name} ended at once (exit code {process.returncode}); {end_of_log}")
    if time.monotonic() > deadline:
        raise NotStartedError(f"{server.name} does not answer; {end_of_log}")


def choose_data_root(state: Path) -> tuple[Path, Identity]:
    """The folder that holds `postgres/` and `valkey/`, and the user who owns them.

    Usually the state folder itself. Where the servers' user cannot reach it (a checkout in root's home), a new
    folder of the system takes its place and the state folder remembers which, so that data is never left behind.
    """
    pointer = state / "data-folder"
    root = Path(pointer.read_text()) if pointer.exists() else state
    if (data := root / "postgres" / "data").exists():
        identity = choose_identity(data)
        if not identity.can_enter(data):
            raise LauncherError(
                f"the data in {data} cannot be entered by its owner (user {identity.uid}): a folder above it is "
                "closed to that user, or you are not that user. Start the portal as the same user as before."
            )
        return root, identity
    identity = choose_identity()
    if _can_hold_data(root, identity):
        return root, identity
    elsewhere = SYSTEM_FOLDER / f"monitor-portal-{secrets.token_hex(6)}"
    if _can_hold_data(elsewhere, identity):
        write_private(pointer, str(elsewhere))
        return elsewhere, identity
    raise LauncherError(
        f"user {identity.uid} can write neither below {root} nor below {SYSTEM_FOLDER}; "
        "set PORTAL_STATE to a folder that every user may pass through, such as /srv/portal"
    )


def _can_hold_data(root: Path, identity: Identity) -> bool:
    folder = root / "postgres"
    with contextlib.suppress(OSError):
        root.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True, mode=0o700)
        identity.own(folder)
        if identity.can_enter(folder):
            return True
        folder.rmdir()
    return False


def stop_throw_away(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """End test servers at once, sparing no data."""
    for process in started:
        processes.stop(process, number=signal.SIGQUIT, seconds=3)
