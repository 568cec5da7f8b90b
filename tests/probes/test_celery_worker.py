"""The `celery_worker` kind: a table of heartbeats and queues, and one look at a real broker."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis
from django.conf import settings

from apps.core.addresses import probe_policy
from apps.core.kindconfig import decode
from apps.probes.base import OutcomeState, Reason
from apps.probes.kinds.celery_worker import CeleryWorkerConfig, judge
from apps.probes.runner import run_once
from tests.probes.test_redis import valkey

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("heartbeat", "lengths", "state", "reason"),
    [
        (str(NOW - 3), {}, OutcomeState.OK, Reason.OK),
        (str(NOW - 15), {}, OutcomeState.OK, Reason.OK),
        (str(NOW + 30), {}, OutcomeState.OK, Reason.OK),
        (str(int(NOW)), {"a": 1_000, "b": 3}, OutcomeState.OK, Reason.OK),
        (str(NOW - 15.2), {}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
        (None, {}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
        ("soon", {}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
        ("nan", {}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
        ("", {}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
        (str(NOW), {"a": 1_001}, OutcomeState.DEGRADED, Reason.QUEUE_BACKLOG),
        (str(NOW - 60), {"a": 5_000}, OutcomeState.FAILED, Reason.NO_HEARTBEAT),
    ],
)
def test_heartbeat_and_queues_decide(
    heartbeat: str | None, lengths: dict[str, int], state: OutcomeState, reason: Reason
) -> None:
    outcome = judge(CeleryWorkerConfig(), heartbeat, lengths, NOW)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_the_sentence_names_the_queue_or_the_age() -> None:
    backlog = judge(CeleryWorkerConfig(max_queue_length=10), str(NOW), {"mail": 12, "web": 3}, NOW)
    assert backlog.sentence == "The queue mail holds 12 messages; at most 10 are allowed."
    late = judge(CeleryWorkerConfig(), str(NOW - 20), {}, NOW)
    assert late.sentence == "The last heartbeat is 20 s old; at most 15 s are allowed."
    assert (backlog.measurements["queued"], late.measurements["heartbeat_age_seconds"]) == (15.0, 20.0)


def test_a_worker_is_seen_through_its_broker() -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    names: dict[str, Any] = {"heartbeat_key": "tests:heartbeat", "queues": ["tests:queue", "tests:none"]}
    config = valkey(**names)
    decode(CeleryWorkerConfig, config)
    try:
        broker.set("tests:heartbeat", repr(time.time()))
        broker.rpush("tests:queue", "a", "b")
        alive = run_once("celery_worker", config, 2.0, probe_policy())
        broker.delete("tests:heartbeat")
        gone = run_once("celery_worker", config, 2.0, probe_policy())
    finally:
        broker.delete("tests:heartbeat", "tests:queue")
        broker.close()
    assert alive.state is OutcomeState.OK, alive
    assert alive.evidence["queues"] == {"tests:queue": 2, "tests:none": 0}
    assert gone.reason is Reason.NO_HEARTBEAT
