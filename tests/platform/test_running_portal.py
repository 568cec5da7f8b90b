"""A whole portal: it says where it is, heals itself, stops in time, leaves nothing, and keeps its data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest

from apps.core.embedded.processes import is_running
from tests.platform.portal import PROJECT, PortalUnderTest, clean_environment, none_running, wait_until

pytestmark = pytest.mark.platform

CHILDREN = ("postgresql", "valkey", "web", "worker", "beat")
CREATE_USER = "from apps.accounts.models import User; User.objects.create_user(username='kept-by-the-restart')"
COUNT_USERS = "SELECT count(*) FROM accounts_user WHERE username = 'kept-by-the-restart'"


def test_the_first_start_shows_a_generated_password_once(running_portal: PortalUnderTest) -> None:
    (line,) = [line for line in running_portal.first_printed.splitlines() if "Password " in line]
    assert len(line.split()[-1]) >= 12
    assert running_portal.answers()


def test_a_second_start_says_where_the_first_one_is(running_portal: PortalUnderTest) -> None:
    finished = running_portal.manage("portal", "up")
    assert finished.returncode == 3
    assert f"already running at {running_portal.run['url']} (process {running_portal.process.pid}" in finished.stderr


def test_status_lists_every_process_with_its_memory(running_portal: PortalUnderTest) -> None:
    printed = running_portal.manage("portal", "status").stdout
    assert running_portal.run["url"] in printed
    rows = {line.split()[0]: line for line in printed.splitlines() if line.endswith(" MB")}
    assert set(rows) == {"launcher", *CHILDREN}


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_child_is_back_on_the_same_addresses(name: str, running_portal: PortalUnderTest) -> None:
    before = running_portal.run
    os.kill(before["children"][name]["pid"], signal.SIGKILL)
    wait_until(
        lambda: running_portal.pids[name] != before["children"][name]["pid"], f"{name} is started again", seconds=3
    )
    wait_until(running_portal.is_whole, "everything works again", seconds=30)
    after = running_portal.run
    assert after["environment"] == before["environment"]
    assert is_running(after["children"][name]["pid"])


def test_what_the_portal_itself_has_sent_is_answered_as_a_loop(running_portal: PortalUnderTest) -> None:
    printed = running_portal.manage("shell", "-c", "from apps.core.instance import instance_id; print(instance_id())")
    mark = printed.stdout.split()[-1]
    for path in ("/healthz", "/ping/0198f7a0-0000-7000-8000-000000000000", "/api/v1/targets/"):
        request = Request(running_portal.run["url"] + path, data=b"{}", headers={"Portal-Instance": mark})
        with pytest.raises(HTTPError) as caught:
            urlopen(request, timeout=10)
        assert (caught.value.code, caught.value.headers["Portal-Instance"]) == (508, mark)
        caught.value.close()


def test_a_running_portal_can_be_backed_up_but_not_restored_over(
    running_portal: PortalUnderTest, tmp_path: Path
) -> None:
    file = tmp_path / "portal.tar"
    assert running_portal.manage("portal", "backup", str(file)).returncode == 0
    assert running_portal.answers()
    refused = running_portal.manage("portal", "restore", str(file), "--yes")
    assert refused.returncode == 1
    assert f"the portal is running at {running_portal.run['url']}: stop it first" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_everything_within_five_seconds(
    number: signal.Signals, running_portal: PortalUnderTest
) -> None:
    pids = list(running_portal.pids.values())
    started = time.monotonic()
    running_portal.process.send_signal(number)
    assert running_portal.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 5
    assert none_running(pids)
    assert not running_portal.state.run_file.exists()


def test_a_killed_launcher_leaves_nothing_running_and_loses_no_data(running_portal: PortalUnderTest) -> None:
    created = running_portal.manage("shell", "-c", CREATE_USER)  # a command finds the running database by itself
    assert created.returncode == 0, created.stderr
    pids = list(running_portal.pids.values())
    running_portal.process.kill()
    running_portal.process.wait()
    wait_until(lambda: none_running(pids), "every child ends with the launcher", seconds=5)

    running_portal.start()
    assert running_portal.answers()
    assert "Password" not in running_portal.printed
    with psycopg.connect(running_portal.run["environment"]["DATABASE_URL"]) as connection:
        assert connection.execute(COUNT_USERS).fetchone() == (1,)


def test_a_killed_make_takes_the_portal_along(stopped_portal: PortalUnderTest) -> None:
    """`make run` starts the launcher as this shell does; here the shell stays in between and is killed."""
    shell = f"'{sys.executable}' manage.py portal up --end-with-parent >/dev/null 2>&1; true"
    port = {"PORTAL_PORT": str(stopped_portal.wanted_port)}
    process = subprocess.Popen(
        ["/bin/sh", "-c", shell], cwd=PROJECT, env=clean_environment(stopped_portal.state.path, **port)
    )
    wait_until(lambda: "web" in stopped_portal.pids, "the portal starts", seconds=60)
    pids = [stopped_portal.run["pid"], *stopped_portal.pids.values()]
    process.kill()
    process.wait()
    wait_until(lambda: none_running(pids), "the portal stops", seconds=6)


def test_a_busy_port_is_passed_over_and_said(stopped_portal: PortalUnderTest) -> None:
    with socket.create_server(("127.0.0.1", stopped_portal.wanted_port)):
        stopped_portal.start()
    assert f"Port {stopped_portal.wanted_port} is in use" in stopped_portal.printed
    assert not stopped_portal.run["url"].endswith(f":{stopped_portal.wanted_port}")
    assert stopped_portal.answers()
    stopped_portal.end()


def test_a_port_that_is_none_is_refused_before_anything_starts(stopped_portal: PortalUnderTest) -> None:
    finished = stopped_portal.manage("portal", "up", PORTAL_PORT="eighty")
    assert finished.returncode == 2
    assert "PORTAL_PORT='eighty' is not a port: use a number from 1 to 65535" in finished.stderr


def test_a_number_of_probe_workers_that_is_none_is_refused(stopped_portal: PortalUnderTest) -> None:
    finished = stopped_portal.manage("portal", "up", PORTAL_PROBE_WORKERS="many")
    assert finished.returncode == 2
    assert "PORTAL_PROBE_WORKERS='many' is not a number of workers: use 0 to 32" in finished.stderr


def test_a_further_probe_worker_is_kept_alive_like_the_others(stopped_portal: PortalUnderTest) -> None:
    stopped_portal.start(PORTAL_PROBE_WORKERS="1")
    first = stopped_portal.pids["probes-1"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: stopped_portal.pids.get("probes-1") not in (None, first), "it is started again", seconds=15)
    wait_until(stopped_portal.is_whole, "everything works", seconds=30)
    stopped_portal.end()
