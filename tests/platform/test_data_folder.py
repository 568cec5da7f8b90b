"""Where the servers' data goes, also when their user cannot reach the state folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.embedded.durable import prepare_servers
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.servers import choose_data_root
from apps.core.embedded.state import StateFolder
from tests.platform.portal import PROJECT

pytestmark = pytest.mark.platform


@pytest.fixture
def closed_state(tmp_path: Path) -> Iterator[Path]:
    """A state folder below one that is closed to everybody but us, such as root's home."""
    tmp_path.chmod(0o700)
    state = tmp_path / "state"
    state.mkdir()
    yield state
    root, _identity = choose_data_root(state)
    shutil.rmtree(root)


def test_data_goes_where_the_servers_user_can_reach_it_and_is_found_again(closed_state: Path) -> None:
    root, identity = choose_data_root(closed_state)
    assert identity.can_enter(root / "postgres")
    assert choose_data_root(closed_state) == (root, identity)


def test_data_below_a_state_folder_that_can_be_reached_stays_there(open_folder: Path) -> None:
    root, identity = choose_data_root(open_folder)
    assert root == open_folder
    assert identity.can_enter(root / "postgres")


def test_data_whose_password_is_lost_is_not_started(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    state = StateFolder(open_folder)
    prepare_servers(PROJECT, state, redis=False)
    (open_folder / "servers.json").unlink()
    with pytest.raises(LauncherError, match=r"the password of the data in .* is lost"):
        prepare_servers(PROJECT, state, redis=False)
