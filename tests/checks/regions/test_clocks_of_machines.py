"""A machine whose clock is an hour off takes its messages, and throws away those that are late by the broker's time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kombu.utils.imports import symbol_by_name
from redis import Redis

from apps.checks import engine_host
from apps.checks.regions.broker_clock import BrokerClock
from apps.checks.regions.timed_request import BrokerTimedRequest
from apps.checks.tasks import probe_batch
from monitor_portal.celery import app

HOUR = 3_600.0


def is_late(expires_in: float) -> bool:
    """Of a real message, sent to a real queue and taken from it."""
    expires = datetime.fromtimestamp(time.time() + expires_in, UTC)
    probe_batch.apply_async(args=("",), queue="probe.seoul", expires=expires)
    with app.connection_for_read() as connection, connection.SimpleQueue("probe.seoul") as queue:
        message = queue.get(timeout=5)
        message.ack()
    return bool(BrokerTimedRequest(message, app=app, task=probe_batch).maybe_expire())


@pytest.fixture
def machine_ahead_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The broker's time is real; the machine's own is so many seconds ahead of it."""

    def set_clock(seconds: float) -> None:
        clock = BrokerClock(wall=lambda: time.time() + seconds)
        clock.measure(time.time)
        monkeypatch.setattr(engine_host, "clock", clock)

    yield set_clock


@pytest.mark.usefixtures("line")
@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 0.0])
def test_a_message_is_late_by_the_broker_s_time_alone(machine_ahead_by: Any, ahead: float) -> None:
    machine_ahead_by(ahead)
    assert not is_late(expires_in=10)
    assert is_late(expires_in=-1)


def test_the_task_of_looking_takes_its_messages_so() -> None:
    assert symbol_by_name(probe_batch.Request) is BrokerTimedRequest


def test_the_broker_is_asked_what_time_it_is(line: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_host, "clock", BrokerClock(wall=lambda: time.time() + HOUR))
    engine_host.measure_clock()
    assert abs(engine_host.clock.now() - time.time()) < 1
    assert abs(engine_host.clock.skew_seconds() - HOUR) < 1
