"""A ready-made empty PostgreSQL data folder, so that throw-away servers need no initdb each time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from apps.core.embedded.binaries import Binaries
from apps.core.embedded.identity import Identity
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.processes import copy_tree
from apps.core.embedded.state import write_private


class PostgresTemplate:
    """The template of one server program and one user: `data`, and the `password` it was initialised with."""

    def __init__(self, project: Path, binaries: Binaries, identity: Identity) -> None:
        program = (binaries.postgres / "postgres").stat()
        owner = identity.uid if identity.uid is not None else os.geteuid()
        mark = f"{program.st_size}:{program.st_mtime_ns}:{owner}:{bool(identity.prefix)}"
        self._folder = project / ".state" / "templates" / hashlib.sha256(mark.encode()).hexdigest()[:12]

    @property
    def data(self) -> Path:
        """The data folder to copy; it may not exist yet."""
        return self._folder / "data"

    @property
    def password(self) -> str:
        """The superuser's password in it; empty when there is no usable template."""
        with contextlib.suppress(OSError):
            if self.data.exists():
                return (self._folder / "password").read_text()
        return ""

    def keep(self, server: PostgresServer) -> None:
        """Make the template from a server that was initialised but not yet started. Failing to is no harm."""
        if self._folder.exists():
            return
        draft = self._folder.with_name(f"{self._folder.name}.{os.getpid()}")
        try:
            draft.mkdir(parents=True, mode=0o700)
            copy_tree(server.data, draft / "data")
            write_private(draft / "password", server.password)
            draft.rename(self._folder)
        except OSError:  # a read-only checkout, or another command was quicker
            shutil.rmtree(draft, ignore_errors=True)
