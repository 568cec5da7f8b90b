"""`portal worker`: what it must be given, what it says when that is missing, and how it waits and stops."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.ports import free_port
from apps.core.embedded.region_worker import NO_DATABASE_URL, worker_environment
from apps.core.embedded.state import StateFolder
from tests.platform.portal import PROJECT, clean_environment, manage, wait_until

KEY = "of-this-portal-" * 4
BROKER = "redis://:password@127.0.0.1:6379"
GIVEN = {"REDIS_URL": BROKER, "PORTAL_SECRET_KEY": KEY}


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def environment(given: dict[str, str], state: StateFolder, region: str = "seoul", places: int = 10) -> dict[str, str]:
    return worker_environment(given, state, region=region, places=places)


def test_the_worker_gets_the_key_the_broker_and_its_region(state: StateFolder) -> None:
    made = environment({**GIVEN, "PORTAL_DNS": "10.0.0.53", "DATABASE_URL": "postgres://somewhere/portal"}, state)
    assert made["REDIS_URL"] == BROKER
    assert made["PORTAL_SECRET_KEY"] == KEY
    assert (made["PORTAL_REGION"], made["PORTAL_PROBE_PLACES"], made["PORTAL_DNS"]) == ("seoul", "10", "10.0.0.53")
    assert made["DATABASE_URL"] == NO_DATABASE_URL, "a database that is within reach is not to be opened either"


def test_the_address_the_settings_are_given_leads_to_no_database() -> None:
    database = environ.Env.db_url_config(NO_DATABASE_URL)
    with pytest.raises(psycopg.OperationalError, match="Not a directory"):
        psycopg.connect(host=database["HOST"], dbname=database["NAME"], connect_timeout=5)


def test_the_key_comes_from_a_file_that_is_named_or_from_the_state_folder(state: StateFolder) -> None:
    state.secret_key.write_text(f"{KEY}\n")
    given = {"REDIS_URL": BROKER}
    assert environment(given, state)["PORTAL_SECRET_KEY"] == KEY
    other = state.path / "copy"
    other.write_text("another" * 10)
    assert environment({**given, "PORTAL_SECRET_KEY_FILE": str(other)}, state)["PORTAL_SECRET_KEY"] == "another" * 10


@pytest.mark.parametrize("region", ["", "a b", "seoul/..", "x" * 33, "s\N{LATIN SMALL LETTER E WITH ACUTE}oul", "a,b"])
def test_a_region_that_is_no_short_name_is_refused(state: StateFolder, region: str) -> None:
    with pytest.raises(LauncherError, match="is not a short name") as error:
        environment(GIVEN, state, region=region)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("places", [0, -1, 100_001])
def test_places_must_be_a_number_that_makes_sense(state: StateFolder, places: int) -> None:
    with pytest.raises(LauncherError, match="from 1 to 100000"):
        environment(GIVEN, state, places=places)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"PORTAL_SECRET_KEY": KEY}, "REDIS_URL is not set"),
        ({"PORTAL_SECRET_KEY": KEY, "REDIS_URL": "http://host:6379"}, "REDIS_URL is not the address of a broker"),
        ({"PORTAL_SECRET_KEY": KEY, "REDIS_URL": "redis://host:port"}, "REDIS_URL is not the address of a broker"),
        ({"PORTAL_SECRET_KEY": KEY, "REDIS_URL": "redis://"}, "REDIS_URL is not the address of a broker"),
        ({"REDIS_URL": BROKER}, "the portal's key is missing"),
        ({"REDIS_URL": BROKER, "PORTAL_SECRET_KEY_FILE": "/no/such"}, "names /no/such, and there is no such file"),
        ({"REDIS_URL": BROKER, "PORTAL_SECRET_KEY_FILE": "/dev/null"}, "/dev/null is empty"),
        ({"REDIS_URL": BROKER, "PORTAL_SECRET_KEY_FILE": "/"}, "cannot be read"),
    ],
)
def test_what_is_missing_is_said_and_nothing_of_a_secret(
    state: StateFolder, given: dict[str, str], sentence: str
) -> None:
    with pytest.raises(LauncherError) as error:
        environment(given, state)
    assert sentence in str(error.value)
    assert error.value.exit_code == 2
    assert "password" not in str(error.value).replace("redis://:password@host", "").replace(
        "rediss://:password@host", ""
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--region"),
        (["--region", "seoul", "--places", "many"], "--places"),
        (["--region", "a b"], "is not a short name"),
        (["--region", "seoul"], "REDIS_URL is not set"),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(state: StateFolder, arguments: list[str], sentence: str) -> None:
    ended = manage("portal", "worker", *arguments, state=state.path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr.splitlines()[-1]


def test_a_python_without_the_packages_is_told_what_to_run(state: StateFolder) -> None:
    bare = [sys.executable, "-S", "manage.py", "portal", "worker", "--region", "seoul"]
    given = {"PORTAL_STATE": str(state.path), "REDIS_URL": BROKER, "PORTAL_SECRET_KEY": KEY}
    ended = subprocess.run(bare, cwd=PROJECT, env=given, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "run make install once, then .venv/bin/python manage.py portal worker --region seoul" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A worker whose broker is not there."""
    output = tmp_path / "output.txt"
    given = {"REDIS_URL": f"redis://:hidden@127.0.0.1:{free_port()}", "PORTAL_SECRET_KEY": KEY}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "portal", "worker", "--region", "seoul"],
            cwd=PROJECT,
            env=clean_environment(tmp_path / "state", **given),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    yield process, output
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.mark.platform
def test_a_broker_that_is_away_is_said_and_waited_for_and_a_stop_is_quick(
    waiting: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, output = waiting
    wait_until(lambda: "cannot be reached" in output.read_text(), "the launcher says so", seconds=30)
    wait_until(lambda: "Trying again" in output.read_text(), "the worker tries again", seconds=30)
    assert process.poll() is None
    assert "hidden" not in output.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=3) == 0
