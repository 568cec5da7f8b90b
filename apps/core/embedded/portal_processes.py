"""The portal's Python processes: web, worker and beat, and further probe workers where they are asked for."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.embedded.processes import spawn
from apps.core.embedded.settings import WebAddress, wanted_probe_workers

WORKER = "worker"
PROBES = "probes"


@dataclass(frozen=True)
class PortalProcess:
    """A `python -m ...` child. With an address, it is ready when it answers HTTP there; else at once."""

    name: str
    arguments: tuple[str, ...]
    project: Path
    environment: Mapping[str, str]
    address: WebAddress | None = None
    stop_signal: signal.Signals = signal.SIGTERM

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Start the process."""
        return spawn(
            [sys.executable, "-m", *self.arguments],
            environment=self.environment,
            folder=self.project,
            output=output,
            # When the launcher was killed, its servers are going too: a polite stop could wait for them for ever.
            # Work that was under way is leased and will be done again.
            death_signal=signal.SIGKILL,
        )

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the process is there and, for the web process, answers a request."""
        return process.poll() is None and (self.address is None or answers(self.address))


def portal_processes(project: Path, environment: Mapping[str, str], address: WebAddress) -> dict[str, PortalProcess]:
    """By name: the three, and `probes-1`, `probes-2` … for PORTAL_PROBE_WORKERS. Raises LauncherError."""
    region = os.environ.get("PORTAL_REGION") or "local"
    celery = ("celery", "-A", "monitor_portal")
    arguments = {
        "web": ("daphne", "-v", "0", "-b", address.host, "-p", str(address.port), "monitor_portal.asgi:application"),
        WORKER: (
            *celery, "worker", "--pool", "threads", "--concurrency", "8", "--queues", ",".join(queues(region)),
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
        ),
        # Beat keeps no file: every schedule is in code or in the database.
        "beat": (*celery, "beat", "--scheduler", "apps.core.doorbell:Doorbell", "--loglevel", "WARNING"),
        # One process is one core at most: probing is the part that another can share.
        **{
            f"{PROBES}-{number}": (
                *celery, "worker", "--pool", "threads", "--concurrency", "4", "--queues", f"probe.{region}",
                "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
            )
            for number in range(1, wanted_probe_workers() + 1)
        },
    }  # fmt: skip
    return {
        name: PortalProcess(name, words, project, environment, address if name == "web" else None)
        for name, words in arguments.items()
    }


def queues(region: str) -> list[str]:
    """The queues the embedded worker serves: the portal's own work and the probes of its region."""
    return ["portal", "record", f"probe.{region}"]


def answers(address: WebAddress, *, seconds: float = 5) -> bool:
    """Whether an HTTP server answers `GET /healthz` there, whatever it says."""
    connection = http.client.HTTPConnection(address.connect_host, address.port, timeout=seconds)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
