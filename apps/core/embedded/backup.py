"""`portal backup FILE` and `portal restore FILE`: the database and the key that opens its sealed secrets, in one file.

The file is a tar of `manifest.json`, `secret.key` and `database.dump` (pg_dump's custom format, compressed already).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from apps.core.embedded.archive import Manifest, open_archive, write_archive
from apps.core.embedded.binaries import find_binaries
from apps.core.embedded.client_tools import ClientTools
from apps.core.embedded.durable import has_data, prepare_servers
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity
from apps.core.embedded.logs import Logs
from apps.core.embedded.processes import stop
from apps.core.embedded.progress import Progress
from apps.core.embedded.servers import start_together
from apps.core.embedded.state import StateFolder, write_private

_STOP_SECONDS = 30.0


def backup(project: Path, state: StateFolder, file: Path) -> int:
    """Write a backup, from the running portal or, when it is stopped, from its data. The file is private (0600)."""
    if file.exists():
        raise LauncherError(f"{file} exists already: choose another name, or remove it first")
    if not file.absolute().parent.is_dir():
        raise LauncherError(f"there is no folder {file.absolute().parent} to write {file.name} to")
    progress = Progress()
    with (
        tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".portal-backup-") as folder,
        _database(project, state, progress, may_be_new=False) as tools,
    ):
        dump = Path(folder) / "database.dump"
        with progress.step("Dumping the database"):
            tools.dump(dump)
        manifest = Manifest(tools.server_major(), datetime.now(UTC).isoformat(timespec="seconds"))
        with progress.step("Writing the file"):
            write_archive(file, manifest, _current_key(state), dump)
    size = f"{max(1, file.stat().st_size // 1000):,} kB"
    progress.say(f"{file} ({size}) holds the key to every sealed secret: keep it private.")
    return 0


def restore(project: Path, state: StateFolder, file: Path, *, yes: bool, upgrade: bool) -> int:
    """Replace the portal's data by a backup's, in one transaction, and its key.

    Refused while the portal runs, over other data without `yes`, and from another major version of PostgreSQL
    unless that is an older one and `upgrade` says it is meant.
    """
    state.create()
    if state.is_locked():
        url = state.read_run_file().get("url", state.path)
        raise LauncherError(f"the portal is running at {url}: stop it first (`python manage.py portal stop`)")
    progress = Progress()
    with open_archive(file) as archive:
        key = archive.secret_key()
        if (chosen := os.environ.get("PORTAL_SECRET_KEY")) and chosen != key:
            raise LauncherError(
                "PORTAL_SECRET_KEY is not the key of this backup, so its sealed secrets could not be opened: "
                "unset it, or set it to the key the backup was made with"
            )
        with (
            tempfile.TemporaryDirectory(dir=state.path, prefix="restore-") as folder,
            _database(project, state, progress, may_be_new=True) as tools,
        ):
            _check_versions(archive.manifest.postgres_major, tools.server_major(), upgrade=upgrade)
            if not yes and tools.has_tables():
                raise LauncherError(
                    f"the database of {state.path} holds data already, which a restore replaces: "
                    "repeat with --yes if that is meant"
                )
            with progress.step("Restoring the database"):
                tools.restore(archive.extract_dump(Path(folder)))
        if not chosen:
            write_private(state.secret_key, key)
    (state.path / "schema.stamp").unlink(missing_ok=True)
    progress.say(f"Restored the backup of {archive.manifest.written_at}. Start the portal with `make run`.")
    return 0


def _check_versions(kept: int, installed: int, *, upgrade: bool) -> None:
    if kept == installed or (upgrade and kept < installed):
        return
    way = (
        "repeat with --upgrade to move the data up to the installed version"
        if kept < installed
        else f"restore it with a release of the portal that brings PostgreSQL {kept} or newer"
    )
    raise LauncherError(f"the backup was written by PostgreSQL {kept}, but PostgreSQL {installed} is installed: {way}")


def _current_key(state: StateFolder) -> str:
    if key := os.environ.get("PORTAL_SECRET_KEY"):
        return key
    try:
        return state.secret_key.read_text().strip()
    except OSError as error:
        raise LauncherError(f"the key {state.secret_key} cannot be read ({error.strerror})") from error


@contextlib.contextmanager
def _database(project: Path, state: StateFolder, progress: Progress, *, may_be_new: bool) -> Iterator[ClientTools]:
    """The client programs, connected to the database; its own server is started for the time when nothing runs."""
    running = state.read_run_file().get("environment", {}) if state.is_locked() else {}
    url = os.environ.get("DATABASE_URL") or running.get("DATABASE_URL")
    if url:
        yield ClientTools(find_binaries(Identity(), project), url, progress)
        return
    if not may_be_new and not has_data(state):
        raise LauncherError(f"there is nothing to back up in {state.path}: the portal was never started there")
    state.create()
    with state.locked():
        with progress.step("Starting PostgreSQL"):
            servers = prepare_servers(project, state, redis=False)
            processes = start_together(servers.all, Logs(state.logs), tick=progress.tick)
        try:
            yield ClientTools(find_binaries(Identity(), project), servers.database_url, progress)
        finally:
            for server, process in zip(servers.all, processes, strict=True):
                stop(process, number=server.stop_signal, seconds=_STOP_SECONDS)
