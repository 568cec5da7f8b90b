"""A driver that never gives the loop back: it costs its own process, never a target its good name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from apps.probes.base import PROBE_KINDS, OutcomeState, Reason
from tests.probes.blocking_kind import NAME, BlockingKind
from tests.probes.engines import RunningEngine, job, wait_until
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer

PROJECT = Path(__file__).resolve().parents[2]


def test_a_worker_whose_engine_is_stuck_for_good_ends_itself_and_says_why() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.probes.stuck_worker"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 70, ended.stderr
    assert "engine_stuck" in ended.stderr


@pytest.fixture
def blocking(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a kind that blocks, known for this test."""
    PROBE_KINDS.names()
    monkeypatch.setitem(PROBE_KINDS._entries, NAME, BlockingKind())
    return NAME


def test_looks_that_time_out_while_the_loop_is_blocked_blame_nobody(blocking: str) -> None:
    with SpeakingServer() as silent, HttpServer() as healthy, RunningEngine() as running:
        ask = {"host": "127.0.0.1", "port": silent.port, "send": "well?\n", "expect": "well"}
        waiting = [job("tcp", ask, 2.0) for _number in range(5)]
        running.engine.submit(waiting)
        wait_until(lambda: len(silent.heard) == 5)
        # The other loop turns on, and what it finds is known at once.
        blocked, beside = job(blocking, {"seconds": 3.5}), job("http", {"url": healthy.url()})
        running.engine.submit([blocked, beside])
        outcomes = running.delivered.wait_for([*waiting, beside])
        after = running.run(job("tcp", {"host": "127.0.0.1", "port": silent.port}))[0]
    assert {outcome.state for outcome in outcomes[:-1]} == {OutcomeState.INDETERMINATE}
    assert {outcome.reason for outcome in outcomes[:-1]} == {Reason.WORKER_LATE}
    assert {outcomes[-1].state, after.state} == {OutcomeState.OK}
    assert running.delivered.arrived[beside.check] < running.delivered.arrived[waiting[0].check]
