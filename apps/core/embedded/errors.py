"""The launcher's own failures: each is one clear sentence and an exit code."""

from __future__ import annotations


class LauncherError(Exception):
    """Something the person at the terminal can act on; printed without a traceback."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class AlreadyRunningError(LauncherError):
    """Another launcher holds the state folder."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=3)
