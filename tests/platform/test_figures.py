"""What the launcher says about the cost of its children, from real processes and into a real Valkey."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from apps.core.embedded.figures import KEPT_SECONDS, PROCESSES_KEY, ProcessFigures, Rates, own_usage, usage_of
from tests.live.waiting import wait_until

_BUSY = "while True: pass"
_IDLE = "print('ready', flush=True); import sys; sys.stdin.read()"
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BUSY!r}])"
_MEMORY = f"block = b'x' * 60_000_000; {_IDLE}"


class Children:
    """Started here and ended with the test."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, program: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._started.append(child)
        return child

    def end(self) -> None:
        for child in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


@pytest.fixture
def children() -> Iterator[Children]:
    started = Children()
    yield started
    started.end()


def cpu_seconds(pid: int) -> float:
    usage = usage_of(pid)
    return usage.cpu_seconds if usage else 0.0


def test_a_grandchild_that_works_is_counted_with_its_parent(children: Children) -> None:
    parent = children.start(_PARENT)

    wait_until(lambda: cpu_seconds(parent.pid) > 0.3, "the work of the grandchild to show")

    usage = usage_of(parent.pid)
    assert usage is not None
    assert usage.processes == 2


def test_memory_is_what_the_process_holds(children: Children) -> None:
    child = children.start(_MEMORY)
    assert child.stdout is not None
    child.stdout.readline()

    usage = usage_of(child.pid)

    assert usage is not None
    assert 60_000_000 < usage.memory_bytes < 120_000_000


def test_a_process_that_is_gone_has_no_usage(children: Children) -> None:
    child = children.start("pass")
    child.wait()

    assert usage_of(child.pid) is None


def test_this_process_counts_itself_alone(children: Children) -> None:
    child = children.start(_MEMORY)
    assert child.stdout is not None
    child.stdout.readline()

    usage = own_usage()

    assert usage is not None
    assert usage.processes == 1


def test_a_rate_is_the_difference_of_two_looks_at_one_process() -> None:
    rates = Rates()

    assert rates.percent("web", 10, 5.0, now=100.0) is None
    assert rates.percent("web", 10, 7.5, now=105.0) == 50.0
    assert rates.percent("web", 11, 0.5, now=110.0) is None  # started again
    assert rates.percent("web", 11, 0.5, now=115.0) == 0.0
    assert rates.percent("web", 11, 0.4, now=120.0) == 0.0  # never negative


@pytest.fixture
def broker(settings: Any) -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_BROKER_URL, decode_responses=True) as client:
        client.delete(PROCESSES_KEY)
        yield client
        client.delete(PROCESSES_KEY)


def test_the_figures_are_published_with_a_time_to_live(children: Children, broker: Redis, settings: Any) -> None:
    child = children.start(_MEMORY)
    assert child.stdout is not None
    child.stdout.readline()  # it holds its memory now, and not only the page it begins with
    figures = ProcessFigures(settings.REDIS_BROKER_URL, lambda: {"worker": child.pid})

    figures.look()

    published = json.loads(str(broker.get(PROCESSES_KEY)))
    assert abs(published["at"] - time.time()) < 5
    assert published["processors"] >= 1
    assert set(published["processes"]) == {"worker", "launcher"}
    worker = published["processes"]["worker"]
    assert (worker["pid"], worker["cpu_percent"], worker["processes"]) == (child.pid, None, 1)
    assert worker["memory_bytes"] > 1_000_000
    assert 0 < int(str(broker.ttl(PROCESSES_KEY))) <= KEPT_SECONDS


def test_looking_again_at_once_costs_nothing(children: Children, broker: Redis, settings: Any) -> None:
    figures = ProcessFigures(settings.REDIS_BROKER_URL, dict)
    figures.look()
    broker.delete(PROCESSES_KEY)

    figures.look()

    assert broker.get(PROCESSES_KEY) is None


def test_a_store_that_is_away_does_not_stop_the_launcher() -> None:
    ProcessFigures("redis://127.0.0.1:1/0", dict).look()
