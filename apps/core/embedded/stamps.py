"""Knowing that slow preparation is unchanged since the last start: a hash of what it reads."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path


class Stamp:
    """Remembers, in one small file, the state of its inputs when the work was last finished."""

    def __init__(self, path: Path, inputs: Iterable[Path], *, also: str = "") -> None:
        self._path = path
        digest = hashlib.sha256(also.encode())
        for file in inputs:
            with contextlib.suppress(OSError):
                status = file.stat()
                digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        self._wanted = digest.hexdigest()

    def is_current(self) -> bool:
        """Whether the work was finished with these very inputs."""
        with contextlib.suppress(OSError):
            return self._path.read_text() == self._wanted
        return False

    def mark(self) -> None:
        """Remember that the work is done."""
        self._path.write_text(self._wanted)

    def clear(self) -> None:
        """Forget, so that a failure half-way is not taken for done."""
        self._path.unlink(missing_ok=True)


def static_files_stamp(project: Path, state: Path) -> Stamp:
    """For collectstatic: our static folders, and the locks that fix everybody else's."""
    folders = [project / "static", *sorted(project.glob("apps/*/static"))]
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    locks = [project / "requirements.lock", project / "frontend/node_modules/.package-lock.json"]
    settings = sorted((project / "monitor_portal/settings").glob("*.py"))
    return Stamp(state / "static.stamp", [*locks, *settings, *files])


def schema_stamp(project: Path, state: Path, database_url: str) -> Stamp:
    """For migrations: ours, the lock that fixes everybody else's, and the database they went to."""
    migrations = sorted(project.glob("apps/*/migrations/*.py"))
    return Stamp(state / "schema.stamp", [project / "requirements.lock", *migrations], also=database_url)
