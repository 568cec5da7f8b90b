"""`portal exec`: a command gets servers, and nothing of them is left afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.portal import PROJECT, clean_environment, manage, wait_until

pytestmark = pytest.mark.platform

ASK_BOTH_SERVERS = """
import json, os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    who = connection.execute("SELECT current_user, current_database(), usesuper FROM pg_user").fetchone()
pong = redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
print(json.dumps({"who": who, "pong": pong, "state": os.environ["PORTAL_STATE"], "server": os.environ["DATABASE_URL"]}))
"""


def test_the_command_finds_both_servers_and_their_state_is_gone_afterwards(tmp_path: Path) -> None:
    finished = manage("portal", "exec", "--", sys.executable, "-c", ASK_BOTH_SERVERS, state=tmp_path)
    assert finished.returncode == 0, finished.stderr
    said = json.loads(finished.stdout)
    assert said["who"] == ["portal", "portal", True]
    assert said["pong"] is True
    assert not Path(said["state"]).exists()


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 128 + signal.SIGKILL)])
def test_the_exit_code_of_the_command_is_passed_through(script: str, code: int, tmp_path: Path) -> None:
    assert manage("portal", "exec", "--", "/bin/sh", "-c", script, state=tmp_path).returncode == code


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    finished = manage("portal", "exec", "--", "no-such-command", state=tmp_path)
    assert finished.returncode == 127
    assert "no-such-command: no such command" in finished.stderr


def test_a_signal_reaches_the_command(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap 'exit 9' TERM; touch {ready}; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "portal", "exec", "--", "/bin/sh", "-c", script],
        cwd=PROJECT,
        env=clean_environment(tmp_path),
    )
    wait_until(ready.exists, "the command runs")
    process.terminate()
    assert process.wait(timeout=10) == 9


def test_servers_that_are_given_are_used_and_none_is_started(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://elsewhere/portal", "REDIS_URL": "redis://elsewhere/0"}
    script = 'echo "$DATABASE_URL $REDIS_URL"; ls "$PORTAL_STATE"'
    finished = manage("portal", "exec", "--", "/bin/sh", "-c", script, state=tmp_path, **given)
    first, *files = finished.stdout.split("\n")
    assert first == "postgres://elsewhere/portal redis://elsewhere/0"
    assert "valkey" not in files


def test_a_killed_exec_leaves_no_server_running(tmp_path: Path) -> None:
    told = tmp_path / "state"
    script = f'echo "$PORTAL_STATE" > {told}.draft; mv {told}.draft {told}; exec sleep 60'
    process = subprocess.Popen(
        [sys.executable, "manage.py", "portal", "exec", "--", "/bin/sh", "-c", script],
        cwd=PROJECT,
        env=clean_environment(tmp_path),
    )
    wait_until(told.exists, "the command runs")
    state = told.read_text().strip()
    assert processes_mentioning(state)
    process.kill()
    process.wait()
    wait_until(lambda: not processes_mentioning(state), "PostgreSQL and Valkey end with their parent", seconds=5)


def processes_mentioning(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(text) in command:
                found.append(int(entry.name))
    return found
