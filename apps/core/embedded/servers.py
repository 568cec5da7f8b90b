"""What the two embedded servers have in common: where their data lives, and starting one until it answers."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from apps.core.embedded import processes
from apps.core.embedded.binaries import system_folder
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity, choose_identity

_POLL_SECONDS = 0.01
_LOG_TAIL_BYTES = 2_000


class EmbeddedServer(Protocol):
    """A server of ours: `start` gives its process, `is_ready` tells when that process can be used."""

    def start(self, output: IO[bytes] | int | None) -> subprocess.Popen[bytes]: ...

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool: ...


class ServerNotStartedError(LauncherError):
    """A server ended, or did not answer in time; the message carries the end of its log."""


def start_together(
    servers: Sequence[EmbeddedServer], logs: Path, *, seconds: float = 60
) -> list[subprocess.Popen[bytes]]:
    """Start servers side by side and return their processes once all of them answer.

    Raises ServerNotStartedError after ending the ones that did start.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        for server in servers:
            with open_log(logs, server) as output:
                started.append(server.start(output))
        deadline = time.monotonic() + seconds
        for server, process in zip(servers, started, strict=True):
            _wait_ready(server, process, deadline, log_file(logs, server))
    except BaseException:
        for process in started:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()
        raise
    return started


def log_file(logs: Path, server: EmbeddedServer) -> Path:
    """The log file of one server."""
    return logs / f"{type(server).__name__.removesuffix('Server').lower()}.log"


def open_log(logs: Path, server: EmbeddedServer) -> IO[bytes]:
    """Open the server's log to append to; the server inherits it open, so it needs no right to the folder."""
    return log_file(logs, server).open("ab")


def tail(path: Path) -> str:
    """The end of a log file, for an error message."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
        return file.read().decode(errors="replace").strip()
    return ""


def choose_data_root(state: Path) -> tuple[Path, Identity]:
    """The folder that holds `postgres/` and `valkey/`, and the user who owns them.

    Usually the state folder itself. Where the servers' user cannot reach it (a checkout in root's home), a
    folder of the system takes its place. Data that exists is never left behind for an empty new folder.
    """
    candidates = [state, system_folder(state)]
    for root in candidates:
        if (data := root / "postgres" / "data").exists():
            identity = choose_identity(data)
            if not identity.can_enter(data):
                raise LauncherError(
                    f"the data in {data} cannot be entered by its owner (user {identity.uid}): a folder above it is "
                    "closed to that user, or you are not that user. Start the portal as the same user as before."
                )
            return root, identity
    identity = choose_identity()
    for root in candidates:
        if _can_hold_data(root, identity):
            return root, identity
    raise LauncherError(
        f"user {identity.uid} can write neither below {candidates[0]} nor below {candidates[1]}; "
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


def _wait_ready(server: EmbeddedServer, process: subprocess.Popen[bytes], deadline: float, log: Path) -> None:
    while not server.is_ready(process):
        if process.poll() is not None:
            raise ServerNotStartedError(f"{log.stem} ended at once (exit code {process.returncode}): {tail(log)}")
        if time.monotonic() > deadline:
            raise ServerNotStartedError(f"{log.stem} does not answer; its log {log} ends with: {tail(log)}")
        time.sleep(_POLL_SECONDS)


def stop_throw_away(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """End test servers at once, sparing no data."""
    for process in started:
        processes.stop(process, number=signal.SIGQUIT, seconds=3)
