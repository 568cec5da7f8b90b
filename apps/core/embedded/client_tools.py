"""pg_dump, pg_restore and psql of the installed PostgreSQL, connected to one database."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from apps.core.embedded.binaries import Binaries
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.postgres import SERVER_ENVIRONMENT
from apps.core.embedded.progress import Progress

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ClientTools:
    """The programs, the DATABASE_URL they work on, and where to show that time passes."""

    binaries: Binaries
    url: str
    progress: Progress

    def dump(self, file: Path) -> None:
        """Write the whole database to `file` in pg_dump's custom format, from one consistent snapshot."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", file)

    def restore(self, dump: Path) -> None:
        """Replace the database's content by a dump's: all of it or, when anything fails, nothing."""
        script = dump.with_suffix(".sql")
        # Through a file, not a pipe: psql would commit the half of a dump that turned out to be cut short.
        self._run("pg_restore", "--no-owner", "--no-privileges", "--file", script, dump, connect=False)
        self._run(
            "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction",
            "--command", "DROP SCHEMA public CASCADE; CREATE SCHEMA public;", "--file", script,
        )  # fmt: skip

    def server_major(self) -> int:
        """The major version of the server."""
        return int(self._query("SHOW server_version_num")) // 10_000

    def has_tables(self) -> bool:
        """Whether the database holds anything yet."""
        return self._query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") != "0"

    def _query(self, statement: str) -> str:
        return self._run("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement)

    def _run(self, program: str, *arguments: str | os.PathLike[str], connect: bool = True) -> str:
        parts = urlsplit(self.url)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
        # The password goes by the environment: arguments can be read by every user of the machine.
        without_password = urlunsplit(parts._replace(netloc=f"{user}{parts.hostname or ''}{port}"))
        target = ["--dbname", without_password] if connect else []
        process = subprocess.Popen(
            [self.binaries.postgres / program, *target, *arguments],
            env={**SERVER_ENVIRONMENT, "PGPASSWORD": unquote(parts.password or "")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while True:
            try:
                printed, errors = process.communicate(timeout=_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self.progress.tick()
        if process.returncode != 0:
            raise LauncherError(f"{program} failed: {errors.strip()[-2_000:]}")
        return printed.strip()
