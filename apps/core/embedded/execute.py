"""`portal exec -- COMMAND`: run a command with throw-away servers, and leave nothing behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from apps.core.embedded import processes
from apps.core.embedded.binaries import find_binaries
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity, choose_identity
from apps.core.embedded.logs import Logs
from apps.core.embedded.ports import free_port
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.servers import (
    NotStartedError,
    Startable,
    start_together,
    stop_throw_away,
)
from apps.core.embedded.state import StateFolder
from apps.core.embedded.templates import PostgresTemplate
from apps.core.embedded.translations import compile_translations
from apps.core.embedded.valkey import ValkeyServer

_PREFIX = "monitor-portal-exec-"
_ABANDONED_SECONDS = 60
_STARTS = 3
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)


def execute(project: Path, command: Sequence[str]) -> int:
    """Run `command` with DATABASE_URL, REDIS_URL and PORTAL_STATE set; returns its exit code (128 + N for signal N).

    A URL that is already in the environment is left alone and its server does not start.
    """
    compile_translations(project)
    with _interruptible(), _throw_away_state() as (state, identity):
        environment = {**os.environ, "PORTAL_STATE": str(state.path)}
        state.ensure_secret_key()
        started: list[subprocess.Popen[bytes]] = []
        try:
            started, urls = _start_servers(project, state, identity, environment)
            return _run(command, {**environment, **urls})
        finally:
            stop_throw_away(started)


def _start_servers(
    project: Path, state: StateFolder, identity: Identity, environment: Mapping[str, str]
) -> tuple[list[subprocess.Popen[bytes]], dict[str, str]]:
    wanted = [name for name in ("DATABASE_URL", "REDIS_URL") if not environment.get(name)]
    if not wanted:
        return [], {}
    binaries = find_binaries(identity, project)
    template = PostgresTemplate(project, binaries, identity)
    for attempt in range(1, _STARTS + 1):
        servers: list[Startable] = []
        urls: dict[str, str] = {}
        port = free_port()
        if "DATABASE_URL" in wanted:
            password = template.password or secrets.token_urlsafe(16)
            postgres = PostgresServer(binaries, identity, state.path / "postgres", port, password, durable=False)
            postgres.initialise(template.data)
            template.keep(postgres)
            servers.append(postgres)
            urls["DATABASE_URL"] = postgres.url
        if "REDIS_URL" in wanted:
            valkey = ValkeyServer(
                binaries, identity, state.path / "valkey", free_port(taken=[port]), secrets.token_urlsafe(16), False
            )
            valkey.initialise()
            servers.append(valkey)
            urls["REDIS_URL"] = valkey.url
        try:
            return start_together(servers, Logs(state.logs)), urls
        except NotStartedError:  # somebody may have taken the port since we looked
            if attempt == _STARTS:
                raise
    raise AssertionError("unreachable")


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    try:
        child = processes.spawn(command, environment=environment, folder=Path.cwd(), own_session=False)
    except FileNotFoundError:
        raise LauncherError(f"{command[0]}: no such command", exit_code=127) from None
    except PermissionError:
        raise LauncherError(f"{command[0]}: not an executable file", exit_code=126) from None

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _terminal_signals_us():
            return  # the terminal has sent it to the child as well
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _terminal_signals_us() -> bool:
    """Whether Ctrl-C at the terminal reaches our whole group, the child included."""
    with contextlib.suppress(OSError):
        return os.tcgetpgrp(0) == os.getpgrp()
    return False


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM while servers start must clean up too."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise LauncherError("stopped before the command was started", exit_code=128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _throw_away_state() -> Iterator[tuple[StateFolder, Identity]]:
    """A new state folder that the servers' user can reach; deleted at the end, with any that a killed run left."""
    identity = choose_identity()
    for base in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108
        _sweep_abandoned(base)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        folder.chmod(0o711)
        state = StateFolder(folder)
        try:
            with state.locked():
                if _reaches(identity, folder):
                    state.create()
                    yield state, identity
                    return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise LauncherError("no temporary folder can be used by the servers' user; set TMPDIR to one that it can reach")


def _reaches(identity: Identity, folder: Path) -> bool:
    data = folder / "postgres"
    data.mkdir(mode=0o700)
    identity.own(data)
    return identity.can_enter(data)


def _sweep_abandoned(base: Path) -> None:
    """Delete throw-away folders whose run was killed: nobody holds their lock any more."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.stat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < _ABANDONED_SECONDS:
                continue
            with (folder / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
