"""Whose time it is: an engine on a machine whose clock is wrong, and how late its looks start."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from apps.probes.engine.start_lateness import StartLateness, percentiles
from tests.probes.engines import RunningEngine, job
from tests.servers.http import HttpServer

HOUR = 3_600.0


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_job_is_due_and_dated_by_the_corrected_clock(server: HttpServer, kind: str) -> None:
    def corrected() -> float:
        return time.time() + HOUR

    config = {"url": server.url()} if kind == "http" else {"host": "127.0.0.1", "port": server.port}
    due = corrected() + 0.4
    with RunningEngine(wall_clock=corrected) as running:
        outcome = running.run(job(kind, config, due_at=due))[0]
    assert due <= outcome.started_at < due + 2


def test_a_job_that_cannot_run_is_dated_by_the_corrected_clock_too() -> None:
    with RunningEngine(wall_clock=lambda: 5_000.0) as running:
        assert running.run(job("no_such_kind", {}))[0].started_at == 5_000.0


def test_health_tells_how_many_looks_began_and_how_late(server: HttpServer) -> None:
    with RunningEngine() as running:
        late = [job("http", {"url": server.url()}, due_at=time.time() - 2) for _number in range(8)]
        on_time = [job("tcp", {"host": "127.0.0.1", "port": server.port}) for _number in range(2)]
        running.run(*late, *on_time)
        health = running.engine.health()
    assert health.started == 10
    assert 1_600 < health.start_late_ms_p50 <= health.start_late_ms_p95 <= health.start_late_ms_p99 < 5_000


@pytest.mark.parametrize("seconds", [0.0002, 0.003, 0.05, 1.0, 40.0])
def test_percentiles_are_right_within_a_fifth(seconds: float) -> None:
    recorded = StartLateness(Clock())
    for number in range(1, 1_001):
        recorded.add(seconds * number / 500)
    found = percentiles([recorded])
    assert found.p50 == pytest.approx(seconds * 1_000, rel=0.2)
    assert found.p95 == pytest.approx(seconds * 1_900, rel=0.2)
    assert found.p99 == pytest.approx(seconds * 1_980, rel=0.2)


def test_what_was_late_more_than_a_minute_ago_is_forgotten_and_still_counted() -> None:
    clock = Clock()
    recorded = StartLateness(clock)
    recorded.add(30.0)
    clock.now += 30
    recorded.add(0.001)
    assert percentiles([recorded]).p99 > 20_000
    clock.now += 45
    assert percentiles([recorded]).p99 < 2
    clock.now += 60
    assert percentiles([recorded, StartLateness(clock)]) == (0.0, 0.0, 0.0)
    assert recorded.started == 2


def test_beyond_its_scale_lateness_is_the_scale_s_end() -> None:
    recorded = StartLateness(Clock())
    recorded.add(10_000.0)
    recorded.add(-0.5)
    found = percentiles([recorded])
    assert found.p99 > 100_000
    assert found.p50 <= 0.1


def test_jobs_handed_over_ahead_each_start_at_their_own_moment_and_not_before(server: HttpServer) -> None:
    begins = time.time() + 0.3
    looks = [
        job("http", {"url": server.url()}, 5.0, due_at=begins + 0.6 * (number * 7 % 60) / 60) for number in range(60)
    ]
    with RunningEngine() as running:
        outcomes = running.run(*looks)
        health = running.engine.health()
    for look, outcome in zip(looks, outcomes, strict=True):
        assert look.due_at is not None
        assert outcome.started_at >= look.due_at - 0.001
    assert (health.started, health.waiting_for_host) == (60, 0)
    # Far above what is usual, and far below a loop that waits for anything but the next moment.
    assert health.start_late_ms_p95 < 500
