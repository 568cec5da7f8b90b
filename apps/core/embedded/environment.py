"""The environment of every other manage.py command: that of the portal running in the same state folder."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.state import StateFolder

_NEEDED = ("DATABASE_URL", "REDIS_URL")
# Commands that work on files only.
_WITHOUT_DATABASE = frozenset(
    {"help", "--help", "-h", "version", "--version", "collectstatic", "compilemessages", "findstatic", "makemessages"}
)
NO_DATABASE = "no database: start the portal with `make run`, or set DATABASE_URL and REDIS_URL"


def default_state(project: Path, environment: MutableMapping[str, str] | None = None) -> StateFolder:
    """The state folder of PORTAL_STATE, by default `.state` beside manage.py."""
    chosen = (os.environ if environment is None else environment).get("PORTAL_STATE")
    return StateFolder(Path(chosen).absolute() if chosen else project / ".state")


def prepare_environment(project: Path, arguments: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Fill in what is absent from `environment` with what the running portal wrote down.

    Raises LauncherError when a command needs a database and none is known.
    """
    environment.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings")
    state = default_state(project, environment)
    environment.setdefault("PORTAL_STATE", str(state.path))
    if all(environment.get(name) for name in _NEEDED):
        return
    command = arguments[0] if arguments else "help"
    known = state.read_run_file().get("environment", {}) if state.is_locked() else {}
    for name, value in known.items():
        if not environment.get(name):
            environment[name] = value
    if command not in _WITHOUT_DATABASE and not all(environment.get(name) for name in _NEEDED):
        raise LauncherError(NO_DATABASE)
