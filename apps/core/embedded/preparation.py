"""The commands that run once at each start: `bootstrap` (migrate, seed, first user) and `collectstatic`."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.logs import Logs
from apps.core.embedded.processes import spawn, stop


class Command:
    """One `manage.py` command under way: its errors go to a log of its own, its output is kept."""

    def __init__(self, name: str, *arguments: str, project: Path, environment: Mapping[str, str], logs: Logs) -> None:
        self.name = name
        self._logs = logs
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the command
        with logs.open(name) as log:
            self._process = spawn(
                [sys.executable, "manage.py", name, *arguments],
                environment=environment,
                folder=project,
                output=self._output,
                errors=log,
            )

    def is_done(self) -> bool:
        """Whether the command has ended."""
        return self._process.poll() is not None

    def result(self) -> str:
        """What an ended command printed. Raises LauncherError with the end of its log when it failed."""
        self._output.seek(0)
        printed = self._output.read().decode(errors="replace")
        if self._process.returncode != 0:
            raise LauncherError(
                f"`manage.py {self.name}` failed; {self._logs.path(self.name)} ends with:\n{self._logs.tail(self.name)}"
            )
        return printed

    def stop(self) -> None:
        """End the command if it still runs."""
        stop(self._process, number=signal.SIGTERM, seconds=1)
        self._output.close()


def first_user(printed: str) -> dict[str, Any] | None:
    """From what `bootstrap` printed: `{"username", "password"}` when it has just made the first user, else None."""
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            return said if isinstance(said, dict) and said.get("admin_created") else None
    return None
