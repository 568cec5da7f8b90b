"""An engine for a test, with what it delivered and ways to wait for it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from apps.core.addresses import AddressPolicy, probe_policy
from apps.probes.base import Finished, Outcome, ProbeJob
from apps.probes.engine import Engine

_numbers = itertools.count(1)


def job(kind: str, config: dict[str, Any], timeout_seconds: float = 2.0, **more: Any) -> ProbeJob:
    """A job with a number of its own."""
    defaults: dict[str, Any] = {"check": str(next(_numbers)), "region": "local", "generation": 1}
    return ProbeJob(kind=kind, config=config, timeout_seconds=timeout_seconds, **{**defaults, **more})


class Delivered:
    """What an engine delivered, with the moment each outcome arrived. Fails first as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self._changed = threading.Condition()
        self._failures = failures
        self.batches: list[list[Finished]] = []
        self.arrived: dict[str, float] = {}

    def __call__(self, batch: list[Finished]) -> None:
        with self._changed:
            if self._failures:
                self._failures -= 1
                raise ConnectionError("the broker is away")
            self.batches.append(batch)
            for finished in batch:
                self.arrived[finished.job.check] = time.monotonic()
            self._changed.notify_all()

    def outcomes(self) -> dict[str, Outcome]:
        """By check."""
        with self._changed:
            return {finished.job.check: finished.outcome for batch in self.batches for finished in batch}

    def wait_for(self, jobs: list[ProbeJob], within: float = 10.0) -> list[Outcome]:
        """The outcomes of these jobs, in their order; fails when they take longer."""
        wanted = {job.check for job in jobs}
        with self._changed:
            assert self._changed.wait_for(lambda: wanted <= set(self.arrived), timeout=within), (
                f"no outcome after {within} s for {wanted - set(self.arrived)}"
            )
        outcomes = self.outcomes()
        return [outcomes[job.check] for job in jobs]


class RunningEngine:
    """An engine and its deliveries, stopped at the end of a `with` block."""

    def __init__(
        self, *, policy: AddressPolicy | None = None, delivered: Delivered | None = None, **options: Any
    ) -> None:
        self.delivered = delivered or Delivered()
        self.engine = Engine(policy=policy or probe_policy(), deliver=self.delivered, **options)

    def __enter__(self) -> RunningEngine:
        self.engine.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.engine.stop(timeout=2.0)

    def run(self, *jobs: ProbeJob, within: float = 10.0) -> list[Outcome]:
        """Submit and wait."""
        assert self.engine.submit(list(jobs)) == []
        return self.delivered.wait_for(list(jobs), within)


def wait_until(condition: Callable[[], bool], within: float = 5.0) -> None:
    """Wait on a condition; fails when it does not come true."""
    ends = time.monotonic() + within
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        pause.wait(0.01)
