"""The environment of every other manage.py command: that of the portal running in the same state folder."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.state import StateFolder

_NEEDED = ("DATABASE_URL", "REDIS_URL")
# Commands that work on files only; the settings still want to see an address and a key.
_WITHOUT_DATABASE = frozenset(
    {"help", "--help", "-h", "version", "--version", "collectstatic", "compilemessages", "findstatic", "makemessages"}
)
_PLACEHOLDERS = {
    "DATABASE_URL": "postgres://portal@127.0.0.1:1/portal",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PORTAL_SECRET_KEY": "not-a-key-this-command-works-on-files-only",
}
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
    known = state.read_run_file().get("environment", {}) if state.is_locked() else {}
    if not known and (arguments[:1] or ["help"])[0] in _WITHOUT_DATABASE:
        known = _PLACEHOLDERS
    for name, value in known.items():
        if not environment.get(name):
            environment[name] = value
    if not all(environment.get(name) for name in _NEEDED):
        raise LauncherError(NO_DATABASE)
