"""`portal worker --region NAME`: one probe worker, on any machine, kept alive in the foreground.

It needs the code, the broker's address and the portal's key, and no database: what it must know is in the messages it
takes, and what it finds leaves as messages. Its log goes where this process's own output goes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from apps.core.embedded import processes
from apps.core.embedded.broker import broker_client
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.state import StateFolder
from apps.core.embedded.supervisor import keep_alive

DEFAULT_PLACES = 10_000
_MOST_PLACES = 100_000
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,32}")
_STOP_SECONDS = 2.5
_LOOK_SECONDS = 2.0
_SAID_SECONDS = 60.0
# The settings want to see an address: a socket in a folder that is none, where no server can ever listen. Whatever
# tried to open the database would fail at once.
NO_DATABASE_URL = "postgres:////dev/null/no-database"


@dataclass(frozen=True)
class RegionWorker:
    """The Celery process that takes the messages of one region, and nothing else."""

    region: str
    project: Path
    environment: Mapping[str, str]
    name: str = "worker"
    stop_signal: signal.Signals = signal.SIGTERM

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Start the process."""
        command = [
            sys.executable, "-m", "celery", "--quiet", "-A", "monitor_portal", "worker",
            "--queues", f"probe.{self.region}", "--pool", "threads", "--concurrency", "4",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
        ]  # fmt: skip
        return processes.spawn(
            command,
            environment=self.environment,
            folder=self.project,
            output=output,
            # What is under way is leased and will be looked at again by somebody else.
            death_signal=signal.SIGKILL,
        )

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the process is there."""
        return process.poll() is None


def run_worker(project: Path, state: StateFolder, *, region: str, places: int) -> int:
    """Keep a worker of `region` alive until a stop signal; returns the exit code.

    Raises LauncherError for bad input.
    """
    environment = worker_environment(os.environ, state, region=region, places=places)
    _require_packages(region)
    broker = BrokerWatch(environment["REDIS_URL"])
    _say(f"probing for {region}, through {broker.address}; stop with Ctrl-C")
    broker.look()
    keep_alive(
        RegionWorker(region, project, environment), say=_say, every_round=broker.look, stop_seconds=_STOP_SECONDS
    )
    return 0


def _require_packages(region: str) -> None:
    """The system's own Python starts this file as well, and has none of what comes next."""
    if find_spec("redis") is None:
        raise LauncherError(
            "this Python has none of the portal's packages: run make install once, then "
            f".venv/bin/python manage.py portal worker --region {region}",
            exit_code=2,
        )


def worker_environment(given: Mapping[str, str], state: StateFolder, *, region: str, places: int) -> dict[str, str]:
    """The environment of the Celery process. Raises LauncherError with what is missing or wrong, and the way."""
    if not _SLUG.fullmatch(region):
        raise LauncherError(
            f"--region {region!r} is not a short name: use up to 32 letters, digits, - and _, such as seoul",
            exit_code=2,
        )
    if not 1 <= places <= _MOST_PLACES:
        raise LauncherError(f"--places {places} is not a number from 1 to {_MOST_PLACES}", exit_code=2)
    return {
        **given,
        "DJANGO_SETTINGS_MODULE": "monitor_portal.settings",
        "DATABASE_URL": NO_DATABASE_URL,
        "REDIS_URL": _broker_url(given),
        "PORTAL_SECRET_KEY": _key(given, state),
        "PORTAL_STATE": str(state.path),
        "PORTAL_REGION": region,
        "PORTAL_PROBE_PLACES": str(places),
    }


def _broker_url(given: Mapping[str, str]) -> str:
    url = given.get("REDIS_URL", "").strip()
    if not url:
        raise LauncherError(
            "REDIS_URL is not set: give the address of the portal's broker, such as rediss://:password@host:6379",
            exit_code=2,
        )
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        is_address = False
    if not is_address:
        raise LauncherError(
            "REDIS_URL is not the address of a broker: write redis://:password@host:6379, "
            "or rediss://:password@host:6379 for TLS",
            exit_code=2,
        )
    return url


def _key(given: Mapping[str, str], state: StateFolder) -> str:
    """PORTAL_SECRET_KEY, else what PORTAL_SECRET_KEY_FILE names, else secret.key in the state folder."""
    if key := given.get("PORTAL_SECRET_KEY", "").strip():
        return key
    named = given.get("PORTAL_SECRET_KEY_FILE", "").strip()
    path = Path(named) if named else state.secret_key
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        if named:
            raise LauncherError(
                f"PORTAL_SECRET_KEY_FILE names {path}, and there is no such file", exit_code=2
            ) from None
        raise LauncherError(
            "the portal's key is missing: set PORTAL_SECRET_KEY, or PORTAL_SECRET_KEY_FILE to a copy of the portal's "
            f"secret.key, or put that copy at {path}",
            exit_code=2,
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LauncherError(f"the key in {path} cannot be read: {error}", exit_code=2) from error
    if not key:
        raise LauncherError(f"the key file {path} is empty: put a copy of the portal's secret.key there", exit_code=2)
    return key


class BrokerWatch:
    """Says when the broker cannot be reached, and when it can again. The worker itself tries without an end."""

    def __init__(self, redis_url: str) -> None:
        parts = urlsplit(redis_url)
        # Without user and password: this is printed.
        self.address = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}"
        self._client = broker_client(redis_url)
        self._next_look = 0.0
        self._away_since: float | None = None
        self._said_at = float("-inf")

    def look(self) -> None:
        """Ask at most every two seconds."""
        from redis import RedisError  # noqa: PLC0415 - as in `broker_client`

        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        try:
            self._client.ping()
        except (RedisError, OSError) as error:
            self._away_since = self._away_since or now
            if now - self._said_at >= _SAID_SECONDS:
                self._said_at = now
                _say(f"the broker {self.address} cannot be reached ({error}); trying again")
        else:
            if self._away_since is not None:
                _say(f"the broker answers again, after {now - self._away_since:.0f} s")
            self._away_since, self._said_at = None, float("-inf")


def _say(line: str) -> None:
    print(f"portal worker: {line}", file=sys.stderr, flush=True)
