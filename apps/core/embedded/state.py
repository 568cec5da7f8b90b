"""The state folder: lock, run file, secrets, logs, and the places of the servers' data."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.embedded.errors import AlreadyRunningError, LauncherError

_SECRET_BYTES = 48  # 64 characters: Django wants fifty or more


@dataclass(frozen=True)
class StateFolder:
    """One portal's state. Several portals on a machine each have their own."""

    path: Path

    @property
    def run_file(self) -> Path:
        """Written while the portal runs: `{"pid", "url", "environment", "children"}`; private, it holds passwords."""
        return self.path / "run.json"

    @property
    def logs(self) -> Path:
        """One log file a child process."""
        return self.path / "logs"

    @property
    def secret_key(self) -> Path:
        """The key that seals secrets at rest and signs sessions."""
        return self.path / "secret.key"

    @property
    def static_files(self) -> Path:
        """Where collectstatic writes."""
        return self.path / "static"

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    def create(self) -> None:
        """Make the folder. Others may pass through it (the servers' user must), not list it."""
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise LauncherError(
                f"the state folder {self.path} cannot be made ({error.strerror}); set PORTAL_STATE to a folder of yours"
            ) from error

    def ensure_secret_key(self) -> None:
        """Make the key on the first start, unless one comes with the environment."""
        if not os.environ.get("PORTAL_SECRET_KEY") and not self.secret_key.exists():
            write_private(self.secret_key, base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; AlreadyRunningError names the portal that holds it now."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError(self._who_runs()) from None
            yield
        finally:
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a launcher holds the folder right now. The kernel frees the lock with its holder, however it died."""
        try:
            with self._lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            pass  # never started, or not ours to open
        return False

    def read_run_file(self) -> dict[str, Any]:
        """The run file's content; empty when there is none or it is not ours to read."""
        return read_json(self.run_file)

    def _who_runs(self) -> str:
        run = self.read_run_file()
        if "url" in run:
            return f"the portal is already running at {run['url']} (process {run.get('pid')}, state in {self.path})"
        return f"another command is using the state folder {self.path} right now; try again in a moment"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when it is missing, unreadable or not an object."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text())
        if isinstance(content, dict):
            return content
    return {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file at once, readable to its owner only."""
    write_private(path, json.dumps(content, indent=1))


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, mode 0600 from its first moment."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
