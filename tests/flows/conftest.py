"""A whole portal for the stories: every process as an operator starts it, in a state folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.rest import RestClient, wait_for

PROJECT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a-long-test-password"


@dataclass(frozen=True)
class RunningPortal:
    """The address of a started portal, its administrator's password, and a client with that one's power."""

    url: str
    username: str
    password: str
    client: RestClient


@pytest.fixture(scope="session")
def portal() -> Iterator[RunningPortal]:
    with tempfile.TemporaryDirectory(prefix="portal-flow-") as folder:
        Path(folder).chmod(0o755)  # the embedded PostgreSQL runs as nobody when we are root
        port = _free_port()
        environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        }
        environment.update(
            PORTAL_STATE=str(Path(folder) / "state"),
            PORTAL_PORT=str(port),
            PORTAL_DEMO="0",
            PORTAL_ADMIN_PASSWORD=PASSWORD,
            PORTAL_CHANNEL_ALLOW="127.0.0.0/8",
            PORTAL_LANGUAGE="en",
            DJANGO_SETTINGS_MODULE="monitor_portal.settings",
        )
        environment.pop("PORTAL_SECRET_KEY", None)
        log = Path(folder) / "portal.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "portal", "up"],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: _ready(url, process, log), f"{url}/readyz to say ready", 120)
            token = RestClient(url).post("/api/v1/auth/token/", {"username": "admin", "password": PASSWORD})
            yield RunningPortal(url, "admin", PASSWORD, RestClient(url, token["access"]))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, f"the portal ended with {process.returncode}:\n{log.read_text()[-3000:]}"
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
