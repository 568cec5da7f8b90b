"""One embedded PostgreSQL server: initialise, start, wait until it answers, stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.embedded.binaries import Binaries, postgres_major
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity
from apps.core.embedded.ports import LOOPBACK
from apps.core.embedded.processes import copy_tree, processes_in, spawn

USER = "portal"
DATABASE = "portal"
SERVER_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
_READY_LINE = 7
_FIRST_MAJOR_WITH_IO_METHOD = 18
_REMAINS_SECONDS = 30

# Modest memory: a portal watching thousands of targets writes little and reads mostly what is hot.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "max_logical_replication_workers": "0",
    # Not /dev/shm: containers often give it 64 MB.
    "dynamic_shared_memory_type": "mmap",
}
_THROW_AWAY_SETTINGS = {
    "fsync": "off",
    # Tests work in transactions that are rolled back. A vacuum that comes by meanwhile counts no rows in tables that
    # are full of them, and every plan after it is one for empty tables: what takes milliseconds takes minutes.
    "autovacuum": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
}


@dataclass(frozen=True)
class PostgresServer:
    """Where one server keeps its data and how it is reached. `durable` is false for throw-away test servers."""

    binaries: Binaries
    identity: Identity
    folder: Path
    port: int
    password: str
    durable: bool = True
    name: str = "postgresql"
    stop_signal: signal.Signals = signal.SIGINT  # fast: ends sessions, writes a checkpoint

    @property
    def data(self) -> Path:
        """The data folder; it exists only when the initialisation was completed."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The DATABASE_URL of the portal's database."""
        return f"postgres://{USER}:{self.password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def initialise(self, template: Path | None = None) -> None:
        """Make the data folder, from a ready `template` of the same password when there is one."""
        if self.data.exists():
            self._check_major_version()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.identity.own(self.folder)
        draft = self.folder / "data.init"  # renamed when complete: an interrupted attempt never looks finished
        shutil.rmtree(draft, ignore_errors=True)
        if template is not None and template.exists():
            copy_tree(template, draft)
        else:
            self._run_initdb(draft)
            self._create_database(draft)
        draft.rename(self.data)

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Start the server process; `output` takes its log. See `wait_ready`."""
        self._end_remains()
        command: list[str | os.PathLike[str]] = [self.binaries.postgres / "postgres", "-D", self.data]
        for name, value in self._settings().items():
            command += ["-c", f"{name}={value}"]
        return spawn(
            command,
            environment=SERVER_ENVIRONMENT,
            output=output,
            identity=self.identity,
            death_signal=self.stop_signal if self.durable else signal.SIGQUIT,
        )

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this very process accepts connections, by the status line of its pid file."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]) == process.pid and lines[_READY_LINE].strip() == "ready"
        return False

    def _settings(self) -> dict[str, str]:
        settings = {**_SETTINGS, "port": str(self.port)}
        if postgres_major(self.binaries) >= _FIRST_MAJOR_WITH_IO_METHOD:
            settings["io_method"] = "sync"  # saves three idle processes
        return settings if self.durable else {**settings, **_THROW_AWAY_SETTINGS}

    def _run_initdb(self, draft: Path) -> None:
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        self.identity.own(password_file)
        try:
            self._run(
                self.binaries.postgres / "initdb", "-D", draft, "-U", USER, "--pwfile", password_file,
                "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            )  # fmt: skip
        finally:
            password_file.unlink()

    def _create_database(self, draft: Path) -> None:
        """Single-user mode: no server to start and stop for one statement."""
        self._run(
            self.binaries.postgres / "postgres", "--single", "-D", draft, "postgres",
            stdin=f"CREATE DATABASE {DATABASE};\n",
        )  # fmt: skip

    def _run(self, *command: str | os.PathLike[str], stdin: str = "") -> None:
        finished = subprocess.run(
            [*self.identity.prefix, *command],
            env=SERVER_ENVIRONMENT,
            cwd="/",
            user=self.identity.uid,
            group=self.identity.gid,
            extra_groups=[] if self.identity.uid is not None else None,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            program = Path(command[0]).name
            raise LauncherError(f"{program} failed in {self.folder}: {(finished.stderr or finished.stdout).strip()}")

    def _check_major_version(self) -> None:
        kept = (self.data / "PG_VERSION").read_text().strip()
        installed = postgres_major(self.binaries)
        if kept != str(installed):
            raise LauncherError(
                f"the data in {self.data} was written by PostgreSQL {kept}, but PostgreSQL {installed} is installed. "
                f"Go back to the release of the portal that brought PostgreSQL {kept}, write a backup there with "
                f"`python manage.py portal backup FILE`, come back, move {self.data} away, and restore it with "
                "`python manage.py portal restore --upgrade FILE`."
            )

    def _end_remains(self) -> None:
        """End what an earlier server left running on this data, and remove its pid file.

        Where process 1 never reaps, the pid in the file may be a zombie, and PostgreSQL would take it for alive.
        Backends of a killed postmaster may live on inside a long query and would refuse the next one its start.
        """
        lock = self.data / "postmaster.pid"
        postmaster = _first_number(lock)
        deadline = time.monotonic() + _REMAINS_SECONDS
        while remains := processes_in(self.data, "postgres"):
            if time.monotonic() > deadline:
                raise LauncherError(f"another PostgreSQL (process {remains[0]}) uses {self.data} and does not stop")
            orphaned = postmaster not in remains
            for pid in remains if orphaned else [postmaster]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if orphaned else signal.SIGINT)
            time.sleep(0.05)
        lock.unlink(missing_ok=True)


def _first_number(lock: Path) -> int:
    try:
        return int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0
