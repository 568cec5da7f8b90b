"""The length of a queue and the age of its oldest message, from real messages in a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from apps.checks.tasks import probe_batch
from apps.core.queues import Queue, read_queues, use_clock

QUEUE = "probe.far-away"


@pytest.fixture
def broker(settings: Any) -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_BROKER_URL) as client:
        client.delete(f"portal:{QUEUE}")
        yield client
        client.delete(f"portal:{QUEUE}")


@pytest.fixture
def sending() -> Iterator[None]:
    yield
    use_clock(time.time)


def send(at: float) -> None:
    use_clock(lambda: at)
    probe_batch.apply_async(args=("x" * 100_000,), queue=QUEUE, expires=60)


def test_a_queue_nothing_was_ever_sent_to_is_empty(broker: Redis) -> None:
    assert read_queues(broker, [QUEUE]) == {QUEUE: Queue(0, None)}


@pytest.mark.usefixtures("sending")
def test_the_age_is_that_of_the_message_sent_first(broker: Redis) -> None:
    send(time.time() - 40)
    send(time.time() - 5)

    queue = read_queues(broker, [QUEUE])[QUEUE]

    assert queue.length == 2
    assert queue.oldest_seconds is not None
    assert 39 < queue.oldest_seconds < 60


@pytest.mark.usefixtures("sending")
def test_a_message_from_the_future_has_no_age_below_zero(broker: Redis) -> None:
    send(time.time() + 3600)

    assert read_queues(broker, [QUEUE]) == {QUEUE: Queue(1, 0.0)}


def test_a_message_without_a_stamp_counts_and_has_no_age(broker: Redis) -> None:
    broker.lpush(f"portal:{QUEUE}", '{"body": "", "headers": {}}')

    assert read_queues(broker, [QUEUE]) == {QUEUE: Queue(1, None)}
