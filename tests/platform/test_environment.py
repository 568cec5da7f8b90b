"""What a manage.py command finds in its environment, with and without a running portal."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.embedded.environment import prepare_environment
from apps.core.embedded.errors import AlreadyRunningError, LauncherError
from apps.core.embedded.state import StateFolder, write_json

KNOWN = {"DATABASE_URL": "postgres://kept/portal", "REDIS_URL": "redis://kept/0", "PORTAL_WEB_URL": "http://kept:1"}


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path)
    state.create()
    write_json(state.run_file, {"pid": 1, "url": "http://kept:1", "environment": KNOWN})
    return state


def prepared(state: StateFolder, *arguments: str, **environment: str) -> dict[str, str]:
    result = {"PORTAL_STATE": str(state.path), **environment}
    prepare_environment(state.path, arguments, result)
    return result


def test_the_running_portal_tells_where_its_servers_are(state: StateFolder) -> None:
    with state.locked():
        found = prepared(state, "shell")
    assert {name: found[name] for name in KNOWN} == KNOWN
    assert found["DJANGO_SETTINGS_MODULE"] == "monitor_portal.settings"


def test_what_the_environment_says_itself_wins(state: StateFolder) -> None:
    with state.locked():
        found = prepared(state, "shell", DATABASE_URL="postgres://mine/portal")
    assert found["DATABASE_URL"] == "postgres://mine/portal"
    assert found["REDIS_URL"] == KNOWN["REDIS_URL"]


def test_the_run_file_of_a_portal_that_was_killed_is_not_believed(state: StateFolder) -> None:
    with pytest.raises(LauncherError, match="no database: start the portal with `make run`, or set DATABASE_URL"):
        prepared(state, "shell")


def test_a_command_on_files_needs_no_database(state: StateFolder) -> None:
    assert "DATABASE_URL" in prepared(state, "makemessages", "--all")


def test_the_state_folder_is_held_by_one_at_a_time(state: StateFolder) -> None:
    with state.locked():
        with pytest.raises(AlreadyRunningError, match="already running at http://kept:1 "), state.locked():
            pass
        assert state.is_locked()
    assert not state.is_locked()


def test_what_holds_secrets_is_private_from_its_first_moment(state: StateFolder) -> None:
    state.ensure_secret_key()
    assert state.run_file.stat().st_mode & 0o777 == 0o600
    assert state.secret_key.stat().st_mode & 0o777 == 0o600
    kept = state.secret_key.read_text()
    state.ensure_secret_key()
    assert state.secret_key.read_text() == kept
