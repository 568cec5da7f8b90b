"""Clients as people run them: curl with a retry, the wrapper of the documentation, and what a lost database costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for

CURL = ("curl", "-sS", "-m", "10", "--retry", "5", "-w", "\n%{http_code}")
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs/heartbeats.md"


def curl(*words: str) -> tuple[int, str]:
    """Status and body."""
    done = subprocess.run([*CURL, *words], capture_output=True, text=True, timeout=90, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.fixture
def heartbeat(portal: RunningPortal) -> dict[str, Any]:
    service = portal.client.post("/api/v1/services/", {"name": f"Job {uuid4().hex[:8]}"})
    made: dict[str, Any] = portal.client.post("/api/v1/heartbeats/", {"target": service["id"], "period_seconds": 3_600})
    return made


def pings_of(portal: RunningPortal, heartbeat: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The pings of the history, oldest first, once there are as many."""

    def asked() -> list[dict[str, Any]] | None:
        rows = portal.client.get(f"/api/v1/heartbeats/{heartbeat['id']}/pings/")["results"]
        return rows[::-1] if len(rows) >= count else None

    rows = wait_for(asked, f"{count} pings in the history")
    assert len(rows) == count
    return rows


def body_of(portal: RunningPortal, heartbeat: dict[str, Any], ping: dict[str, Any]) -> str:
    return str(portal.client.get(f"/api/v1/heartbeats/{heartbeat['id']}/pings/{ping['id']}/")["body"])


def status_of(portal: RunningPortal, heartbeat: dict[str, Any]) -> str:
    return str(portal.client.get(f"/api/v1/heartbeats/{heartbeat['id']}/")["status"])


def test_curl_pings_as_the_clients_of_healthchecks_do(portal: RunningPortal, heartbeat: dict[str, Any]) -> None:
    url = heartbeat["ping_url"]
    assert curl(url) == (200, "OK")
    assert curl("-I", url)[0] == 200
    assert curl("--data-binary", "line 1\nline 2", f"{url}/fail") == (200, "OK")
    assert curl("-X", "PUT", "-d", "note", f"{url}/log/") == (200, "OK")
    assert curl(f"{url}/0") == (200, "OK")
    pings = pings_of(portal, heartbeat, 5)
    assert [(ping["kind"], ping["method"]) for ping in pings] == [
        ("success", "GET"),
        ("success", "HEAD"),
        ("fail", "POST"),
        ("log", "PUT"),
        ("success", "GET"),
    ]
    assert pings[0]["user_agent"].startswith("curl/")
    assert pings[0]["address"] == "127.0.0.1"
    assert body_of(portal, heartbeat, pings[2]) == "line 1\nline 2"
    wait_for(lambda: status_of(portal, heartbeat) == "operational", "the heartbeat to be operational")


def test_what_is_wrong_is_told_over_http(portal: RunningPortal, heartbeat: dict[str, Any]) -> None:
    url = heartbeat["ping_url"]
    assert curl(f"{url}/256") == (400, "invalid url format")
    assert curl(f"{url}?rid=1") == (400, "invalid uuid format")
    assert curl(f"{portal.url}/ping/{uuid4()}") == (404, "not found")
    assert curl(f"{portal.url}/ping/no-such-key/name?create=1") == (404, "not found")
    assert curl(f"{portal.url}/api/push/nobody")[0] == 404
    headers = curl("-I", url)[1].lower()
    assert "ping-body-limit: 100000" in headers
    assert "access-control-allow-origin: *" in headers


def test_a_body_of_megabytes_is_cut_and_flagged(
    portal: RunningPortal, heartbeat: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"0123456789" * 200_000)
    assert curl("--data-binary", f"@{log}", heartbeat["ping_url"]) == (200, "OK")
    (ping,) = pings_of(portal, heartbeat, 1)
    assert (ping["body_bytes"], ping["cut"]) == (2_000_000, True)
    assert len(body_of(portal, heartbeat, ping)) == 100_000


@pytest.mark.parametrize(
    ("command", "code", "kind"), [("echo all good", 0, "success"), ("echo no disk; exit 3", 3, "fail")]
)
def test_the_wrapper_of_the_documentation_tells_a_whole_run(
    command: str, code: int, kind: str, portal: RunningPortal, heartbeat: dict[str, Any], tmp_path: Path
) -> None:
    scripts = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    wrapper = tmp_path / "ping-run"
    wrapper.write_text(scripts[0])
    wrapper.chmod(0o755)
    done = subprocess.run(
        [wrapper, heartbeat["ping_url"], "sh", "-c", command], check=False, capture_output=True, text=True
    )
    assert done.returncode == code
    start, end = pings_of(portal, heartbeat, 2)
    assert (start["kind"], end["kind"], end["exit_status"]) == ("start", kind, code)
    assert start["run_id"] == end["run_id"] is not None
    assert end["run_ms"] > 0
    assert body_of(portal, heartbeat, end) == done.stdout


def test_a_short_name_is_created_once(portal: RunningPortal) -> None:
    key = portal.client.post("/api/v1/ping-keys/", {"environment": "prod"})
    name = f"job-{uuid4().hex[:8]}"
    url = f"{portal.url}/ping/{key['key']}/{name}"
    assert curl(url) == (404, "not found")
    assert curl(f"{url}?create=1") == (201, "Created")
    assert curl(f"{url}/start?create=1") == (200, "OK")
    (made,) = portal.client.get(f"/api/v1/heartbeats/?slug={name}")["results"]
    assert [ping["kind"] for ping in pings_of(portal, made, 2)] == ["success", "start"]
    assert portal.client.call("DELETE", f"/api/v1/ping-keys/{key['id']}/").status == 204
    assert curl(url) == (404, "not found")


def test_uptime_kumas_form(portal: RunningPortal, heartbeat: dict[str, Any]) -> None:
    url = heartbeat["push_url"]
    assert curl(f"{url}?status=up&msg=OK&ping=12.5") == (200, '{"ok":true}')
    assert curl(f"{url}?status=down&msg=disk%20full&ping=") == (200, '{"ok":true}')
    up, down = pings_of(portal, heartbeat, 2)
    assert (up["kind"], up["said_ms"], up["dialect"]) == ("success", 12.5, "kuma")
    assert (down["kind"], down["said_ms"], body_of(portal, heartbeat, down)) == ("fail", None, "disk full")
    wait_for(lambda: status_of(portal, heartbeat) == "outage", "the heartbeat to be an outage")


def test_gatus_form(portal: RunningPortal, heartbeat: dict[str, Any]) -> None:
    url = portal.url + heartbeat["gatus_path"]
    bearer = ("-X", "POST", "-H", f"Authorization: Bearer {heartbeat['push_token']}")
    assert curl(*bearer, f"{url}?success=true&duration=1.5s") == (200, "")
    assert curl(*bearer, f"{url}?success=false&error=no+answer") == (200, "")
    assert curl(*bearer, f"{url}?success=perhaps") == (400, "missing or invalid success query parameter")
    assert curl("-X", "POST", f"{url}?success=true") == (401, "invalid Authorization header")
    wrong = ("-X", "POST", "-H", "Authorization: Bearer nobodys")
    assert curl(*wrong, f"{url}?success=true") == (401, "invalid token")
    good, bad = pings_of(portal, heartbeat, 2)
    assert (good["kind"], good["said_ms"], good["dialect"]) == ("success", 1_500.0, "gatus")
    assert (bad["kind"], body_of(portal, heartbeat, bad)) == ("fail", "no answer")


def test_a_ping_sent_while_the_database_is_gone_is_stored_by_the_clients_retry(
    portal: RunningPortal, heartbeat: dict[str, Any]
) -> None:
    url = heartbeat["ping_url"]
    assert curl(url) == (200, "OK")
    server = portal.processes.pids["postgresql"]
    os.kill(server, signal.SIGKILL)
    # curl prints the answers to the tries before the last as well.
    status, bodies = curl(f"{url}/7")
    assert (status, bodies[-2:]) == (200, "OK")
    wait_for(portal.processes.is_whole, "the portal to be whole again", 60)
    assert [ping["exit_status"] for ping in pings_of(portal, heartbeat, 2)] == [None, 7]
