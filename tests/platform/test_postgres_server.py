"""One embedded PostgreSQL: what it does with the remains of an earlier one, and with data of another version."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.logs import Logs
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.processes import processes_in, stop
from apps.core.embedded.servers import start_together

pytestmark = pytest.mark.platform


@contextlib.contextmanager
def running(server: PostgresServer, logs: Path) -> Iterator[subprocess.Popen[bytes]]:
    (process,) = start_together([server], Logs(logs), seconds=20)
    try:
        yield process
    finally:
        stop(process, number=signal.SIGQUIT, seconds=5)


def test_a_pid_file_that_names_another_living_process_is_no_obstacle(postgres: PostgresServer, tmp_path: Path) -> None:
    stale = postgres.data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{postgres.data}\n1\n{postgres.port}\n\n127.0.0.1\n0 0\nready\n")
    with running(postgres, tmp_path):
        assert psycopg.connect(postgres.url).execute("SELECT 1").fetchone() == (1,)


def test_a_backend_busy_with_a_long_query_does_not_hold_up_the_next_start(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with running(postgres, tmp_path) as process:
        client = psycopg.connect(postgres.url, autocommit=True)
        client.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 2000000000)")
        client.pgconn.flush()
        process.kill()
        process.wait()
    assert processes_in(postgres.data, "postgres"), "the backend is still computing"
    with running(postgres, tmp_path):
        assert psycopg.connect(postgres.url).execute("SELECT 1").fetchone() == (1,)
    client.close()


def test_data_of_another_major_version_is_refused_with_the_way_to_move_it(postgres: PostgresServer) -> None:
    (postgres.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(LauncherError) as refused:
        postgres.initialise()
    sentence = str(refused.value)
    assert "written by PostgreSQL 9, but PostgreSQL 1" in sentence
    assert "portal backup FILE" in sentence
    assert "portal restore --upgrade FILE" in sentence


def test_an_interrupted_initialisation_is_started_over(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.data.rename(postgres.folder / "data.init")
    (postgres.folder / "data.init" / "PG_VERSION").unlink()
    postgres.initialise()
    with running(postgres, tmp_path):
        assert psycopg.connect(postgres.url).info.dbname == "portal"
