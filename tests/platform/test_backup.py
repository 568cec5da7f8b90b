"""Backup and restore of a stopped portal: a round trip with the key, and the cases that are refused."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from apps.core.embedded.archive import Manifest, open_archive, write_archive
from apps.core.embedded.durable import prepare_servers
from apps.core.embedded.logs import Logs
from apps.core.embedded.processes import stop
from apps.core.embedded.servers import start_together
from apps.core.embedded.state import StateFolder
from tests.platform.portal import PROJECT, manage

pytestmark = pytest.mark.platform


@pytest.fixture(scope="module", autouse=True)
def own_servers() -> Iterator[None]:
    """Not those the suite runs with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        yield


@contextlib.contextmanager
def connected(state: StateFolder) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to the database of a stopped portal, whose server runs for that long."""
    servers = prepare_servers(PROJECT, state, redis=False)
    (process,) = start_together(servers.all, Logs(state.logs))
    try:
        with psycopg.connect(servers.database_url) as connection:
            yield connection
    finally:
        stop(process, number=servers.all[0].stop_signal, seconds=10)


@pytest.fixture(scope="module")
def state(own_servers: None) -> Iterator[StateFolder]:
    """The state of a stopped portal with one fact in its database; a test that changes it changes it back."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    folder.chmod(0o711)
    state = StateFolder(folder / "state")
    state.create()
    state.ensure_secret_key()
    with connected(state) as connection:
        connection.execute("CREATE TABLE fact (id bigserial PRIMARY KEY, told text)")
        connection.execute("INSERT INTO fact (told) VALUES ('측정된 사실')")
    yield state
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def file(state: StateFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of `state`."""
    file = tmp_path_factory.mktemp("backup") / "portal.tar"
    finished = manage("portal", "backup", str(file), state=state.path)
    assert finished.returncode == 0, finished.stderr
    return file


def facts(state: StateFolder) -> list[tuple[object, ...]]:
    with connected(state) as connection:
        return connection.execute("SELECT told FROM fact ORDER BY id").fetchall()


def test_a_backup_comes_back_in_an_empty_state_folder_with_its_key(
    state: StateFolder, file: Path, open_folder: Path
) -> None:
    elsewhere = StateFolder(open_folder / "elsewhere")
    restored = manage("portal", "restore", str(file), state=elsewhere.path)
    assert restored.returncode == 0, restored.stderr
    assert facts(elsewhere) == [("측정된 사실",)]
    assert elsewhere.secret_key.read_text() == state.secret_key.read_text()
    assert elsewhere.secret_key.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600


def test_data_that_is_there_is_replaced_only_when_it_is_meant(state: StateFolder, file: Path) -> None:
    with connected(state) as connection:
        connection.execute("INSERT INTO fact (told) VALUES ('later')")
        connection.execute("CREATE TABLE added_later (id int)")
    refused = manage("portal", "restore", str(file), state=state.path)
    assert refused.returncode == 1
    assert "holds data already, which a restore replaces: repeat with --yes" in refused.stderr
    assert len(facts(state)) == 2

    assert manage("portal", "restore", str(file), "--yes", state=state.path).returncode == 0
    assert facts(state) == [("측정된 사실",)]
    with connected(state) as connection:
        assert connection.execute("SELECT to_regclass('added_later')").fetchone() == (None,)


def test_a_dump_that_is_cut_short_changes_nothing(state: StateFolder, file: Path, tmp_path: Path) -> None:
    with open_archive(file) as archive:
        dump = archive.extract_dump(tmp_path)
        dump.write_bytes(dump.read_bytes()[:-60])
        write_archive(tmp_path / "cut.tar", archive.manifest, "another key", dump)
    kept_key = state.secret_key.read_text()
    failed = manage("portal", "restore", str(tmp_path / "cut.tar"), "--yes", state=state.path)
    assert failed.returncode == 1
    assert "pg_restore failed" in failed.stderr
    assert facts(state) == [("측정된 사실",)]
    assert state.secret_key.read_text() == kept_key


@pytest.mark.parametrize(
    ("kept", "arguments", "way"),
    [
        (9, [], "written by PostgreSQL 9, but PostgreSQL 1[0-9] is installed: repeat with --upgrade"),
        (99, [], "written by PostgreSQL 99, but PostgreSQL 1[0-9] is installed: restore it with a release"),
        (99, ["--upgrade"], "restore it with a release of the portal that brings PostgreSQL 99 or newer"),
    ],
)
def test_a_backup_of_another_major_version_is_refused_with_the_way(
    kept: int, arguments: list[str], way: str, file: Path, state: StateFolder, tmp_path: Path
) -> None:
    with open_archive(file) as archive:
        other = Manifest(kept, archive.manifest.written_at)
        write_archive(tmp_path / "other.tar", other, archive.secret_key(), archive.extract_dump(tmp_path))
    refused = manage("portal", "restore", str(tmp_path / "other.tar"), "--yes", *arguments, state=state.path)
    assert refused.returncode == 1
    assert re.search(way, refused.stderr), refused.stderr


def test_an_older_major_version_is_accepted_when_the_upgrade_is_meant(
    file: Path, state: StateFolder, tmp_path: Path
) -> None:
    with open_archive(file) as archive:
        older = Manifest(9, archive.manifest.written_at)
        write_archive(tmp_path / "older.tar", older, archive.secret_key(), archive.extract_dump(tmp_path))
    arguments = ("portal", "restore", str(tmp_path / "older.tar"), "--yes", "--upgrade")
    assert manage(*arguments, state=state.path).returncode == 0
    assert facts(state) == [("측정된 사실",)]


def test_a_key_of_its_own_that_cannot_open_the_backup_is_refused(file: Path, state: StateFolder) -> None:
    arguments = ("portal", "restore", str(file), "--yes")
    refused = manage(*arguments, state=state.path, PORTAL_SECRET_KEY="another key")
    assert refused.returncode == 1
    assert "PORTAL_SECRET_KEY is not the key of this backup" in refused.stderr


def test_what_is_no_backup_is_named(tmp_path: Path, open_folder: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a tar")
    refused = manage("portal", "restore", str(file), state=open_folder / "state")
    assert refused.returncode == 1
    assert f"{file} is not a backup of the portal" in refused.stderr


def test_there_is_nothing_to_back_up_before_the_first_start(tmp_path: Path, open_folder: Path) -> None:
    refused = manage("portal", "backup", str(tmp_path / "portal.tar"), state=open_folder / "state")
    assert refused.returncode == 1
    assert "there is nothing to back up" in refused.stderr
    assert not (open_folder / "state").exists()


def test_an_existing_file_is_not_overwritten(file: Path, state: StateFolder) -> None:
    refused = manage("portal", "backup", str(file), state=state.path)
    assert refused.returncode == 1
    assert f"{file} exists already" in refused.stderr
