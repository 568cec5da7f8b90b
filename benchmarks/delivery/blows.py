"""Killing, spread over the flow of changes: workers, beat, web, PostgreSQL, and a Valkey that comes back empty."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from apps.core.embedded.portal_processes import PortalProcess, portal_processes
from apps.core.embedded.processes import is_running
from apps.core.embedded.settings import WebAddress
from benchmarks.delivery.running import SETTINGS
from tests.platform.portal import PROJECT, PortalUnderTest, clean_environment, wait_until

SECOND_WORKER = "second worker"
# Killing what was started a moment ago proves less: it has nothing in its hands yet.
LEAST_LIFE_SECONDS = 2.5


def plan(kills: int, *, chance: Random) -> list[str]:
    """Who is killed, in order: six in ten are workers, two beat and two web; two of each server between them."""
    beats = webs = kills // 5
    workers = kills - beats - webs
    names = ["beat"] * beats + ["web"] * webs
    names += [SECOND_WORKER if number % 2 else "worker" for number in range(workers)]
    names += ["postgresql", "valkey"] * 2
    chance.shuffle(names)
    return names


class SecondWorker:
    """One more worker with all queues, as an operator adds it for two machines; started again whenever it is killed."""

    def __init__(self, portal: PortalUnderTest) -> None:
        environment = clean_environment(portal.state.path, **SETTINGS, **portal.run["environment"])
        environment["DJANGO_SETTINGS_MODULE"] = "monitor_portal.settings"
        worker: PortalProcess = portal_processes(PROJECT, environment, WebAddress("127.0.0.1", 0))["worker"]
        self._command = ["-m", *worker.arguments, "--hostname", "second@%h"]
        self._environment = environment
        self._log = portal.state.logs / "second-worker.log"
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self.end()
        self._process = self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *self._command],
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@dataclass
class Blows:
    """Strikes one process after the other and remembers whom it has struck, and when (Unix seconds)."""

    portal: PortalUnderTest
    second: SecondWorker
    struck: list[tuple[float, str]] = field(default_factory=list)
    _known: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def by_process(self) -> Counter[str]:
        return Counter(name for _moment, name in self.struck)

    def is_ripe(self, name: str) -> bool:
        """Whether the process is there and has lived for a while."""
        pid = self._pid(name)
        if pid is None:
            return False
        known, since = self._known.get(name, (0, 0.0))
        if known != pid:
            self._known[name] = pid, time.monotonic()
            return False
        return time.monotonic() - since >= LEAST_LIFE_SECONDS

    def strike(self, name: str) -> None:
        """SIGKILL. Valkey forgets all it had written down before it is started again."""
        self.struck.append((time.time(), name))
        if name == SECOND_WORKER:
            self.second.kill()
        elif name == "valkey":
            with self.portal.unattended():
                pid = self.portal.kill(name)
                wait_until(lambda: not is_running(pid), "Valkey is dead")
                self._empty_valkey()
        else:
            self.portal.kill(name)

    def _pid(self, name: str) -> int | None:
        pid = self.second.pid if name == SECOND_WORKER else self.portal.pids.get(name)
        return pid if pid is not None and is_running(pid) else None

    def _empty_valkey(self) -> None:
        state = self.portal.state.path
        pointer = state / "data-folder"
        root = Path(pointer.read_text()) if pointer.exists() else state
        shutil.rmtree(root / "valkey" / "appendonlydir")


@contextlib.contextmanager
def blows(portal: PortalUnderTest) -> Iterator[Blows]:
    """With a second worker that lives inside the block."""
    second = SecondWorker(portal)
    try:
        yield Blows(portal, second)
    finally:
        second.end()
