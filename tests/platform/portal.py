"""A real portal, started as a child process in a state folder of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apps.core.embedded.ports import free_port
from apps.core.embedded.processes import is_running
from apps.core.embedded.state import StateFolder

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 15.0) -> float:
    """Wait for a condition; returns the seconds it took, fails with `what` when it never came true."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - started


def manage(*arguments: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end, with nothing of the surrounding test servers in its environment."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=clean_environment(state, **environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def clean_environment(state: Path, **changes: str) -> dict[str, str]:
    """The environment of a person's shell: no DATABASE_URL, no test settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PORTAL_", "DATABASE_", "REDIS_", "DJANGO_", "SENTRY_"))
    }
    return {**inherited, "PORTAL_STATE": str(state), "PORTAL_DEMO": "0", **changes}


class PortalUnderTest:
    """Starts, asks and ends one portal."""

    def __init__(self, state: Path) -> None:
        self.state = StateFolder(state)
        self.wanted_port = free_port()
        self.printed = ""
        self.first_printed = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the portal was not started"
        return self._process

    @property
    def run(self) -> dict[str, Any]:
        return self.state.read_run_file()

    @property
    def pids(self) -> dict[str, int]:
        return {name: child["pid"] for name, child in self.run.get("children", {}).items()}

    def ensure_running(self) -> None:
        if self._process is None or self._process.poll() is not None or not self.answers():
            self.end()
            self.start()

    def start(self, **environment: str) -> None:
        """Start and wait until it says that it runs."""
        output = self.state.path.parent / "output.txt"
        settings = {"PORTAL_PORT": str(self.wanted_port), **environment}
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "portal", "up"],
                cwd=PROJECT,
                env=clean_environment(self.state.path, **settings),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = self._process

        def decided() -> bool:
            self.printed = output.read_text()
            return process.poll() is not None or "Stop with Ctrl-C" in self.printed

        wait_until(decided, "the portal starts", seconds=START_SECONDS)
        assert process.poll() is None, self.printed
        self.first_printed = self.first_printed or self.printed

    def answers(self, path: str = "/healthz") -> bool:
        """Whether a page says 200."""
        return self._ask(path)[0] == http.client.OK

    def readiness(self) -> dict[str, bool]:
        """What `/readyz` says of each part; nothing while nobody answers."""
        _status, body = self._ask("/readyz")
        parts = json.loads(body)["parts"] if body.startswith(b"{") else {}
        return {name: part["ok"] for name, part in parts.items()}

    def is_whole(self) -> bool:
        """Whether database, Valkey, worker, beat and outboxes all work. How late looks were in the last minute is
        about a time that may be over."""
        parts = self.readiness()
        return bool(parts) and all(ok for name, ok in parts.items() if name != "probing")

    def _ask(self, path: str) -> tuple[int, bytes]:
        address = self.run.get("url", "").removeprefix("http://")
        if address:
            connection = http.client.HTTPConnection(address, timeout=5)
            with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read()
        return 0, b""

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to one of its processes, by name; returns the process id."""
        pid = self.pids[name]
        os.kill(pid, number)
        return pid

    def output(self) -> str:
        """All that the launcher has printed."""
        return (self.state.path.parent / "output.txt").read_text()

    def log(self, name: str) -> str:
        """All that one of its processes has printed."""
        return (self.state.logs / f"{name}.log").read_text()

    @contextlib.contextmanager
    def second_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """One more worker that only probes, beside the launcher's own; killed at the end of the block."""
        environment = {"DJANGO_SETTINGS_MODULE": "monitor_portal.settings", **self.run["environment"]}
        command = [
            sys.executable, "-m", "celery", "-A", "monitor_portal", "worker", "--pool", "threads", "--concurrency", "4",
            "--queues", "probe.local", "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]  # fmt: skip
        with (self.state.path.parent / "second-worker.txt").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=clean_environment(self.state.path, **environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def unattended(self) -> Iterator[None]:
        """The launcher stands still inside the block, so that what dies stays dead until its end."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Stop it, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=10)

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return manage(*arguments, state=self.state.path, **environment)


def none_running(pids: list[int]) -> bool:
    return not any(is_running(pid) for pid in pids)


def is_connected_to(pid: int, port: int) -> bool:
    """Whether a process holds an open TCP connection to this port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {row[9] for row in rows if row[3] == "01" and int(row[2].split(":")[1], 16) == port}
    held = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(os.readlink(handle).removeprefix("socket:[").removesuffix("]"))
    return bool(established & held)
