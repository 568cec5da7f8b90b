"""The log files of the children: opened here, handed over open, and kept from growing without bound."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LARGEST_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 2_000


@dataclass(frozen=True)
class Logs:
    """A folder with one `<name>.log` a child, and at most one older `<name>.log.1` beside it."""

    folder: Path

    def path(self, name: str) -> Path:
        """The log file of one child."""
        return self.folder / f"{name}.log"

    def open(self, name: str) -> IO[bytes]:
        """Open a log to append to. A child inherits it open, so it needs no right to the folder."""
        return self.path(name).open("ab")

    def tail(self, name: str) -> str:
        """The end of a log, for an error message."""
        path = self.path(name)
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
        return ""

    def rotate(self, *, largest_bytes: int = _LARGEST_BYTES) -> None:
        """Move the content of every log above the limit to its `.log.1`.

        Copied and truncated, not renamed: the children hold the files open, in append mode.
        """
        for path in self.folder.glob("*.log"):
            with contextlib.suppress(OSError):
                if path.stat().st_size > largest_bytes:
                    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
                    with path.open("r+b") as file:
                        file.truncate(0)
