"""The tasks of looking: the doorbell, the hand-over to the probe engine, and the recording of what it found.

Every task is idempotent and safe to lose: rows are the truth, messages only wake.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from django.db import OperationalError
from psycopg.errors import DeadlockDetected, SerializationFailure

from apps.checks import (
    dispatch,
    engine_host,
    intake,
    messages,
    partitions,
    recording,
    retention,
    schedule,
    signals,
    staleness,
    worker,
)
from apps.checks.heartbeats.settling import judge_overdue, settle_waiting
from apps.checks.messages import BadMessage
from apps.checks.regions.timed_request import BrokerTimedTask
from apps.core import clock
from apps.core.secrets import SecretUnreadable
from apps.core.wake_ups import WakeUpTask
from apps.probes.base import Finished

RECORD_TRIES = 3
STALE_EVERY_SECONDS = 5

logger = structlog.get_logger(__name__)


@shared_task(ignore_result=True, base=WakeUpTask)
def tick() -> None:
    """Once a second: send what is due, settle what was told, find what fell silent, and pass the doorbell on."""
    if _rang_long_ago(tick.request.expires):
        return
    for step in (schedule.mark_tick, dispatch.dispatch_due, settle_waiting, judge_overdue, _mark_stale):
        try:
            step()
        except Exception:  # one step that fails must not stop the others: alerts hang on this doorbell
            logger.exception("tick_step_failed", step=getattr(step, "__name__", ""))
    _pass_on(signals.ticked)


def _rang_long_ago(expires: Any) -> bool:
    """Whether the doorbell waited in this process until nobody needs it: Celery looks at that before it waits."""
    return expires is not None and datetime.fromisoformat(expires) < clock.now()


_looked_for_stale_at = float("-inf")


def _mark_stale() -> None:
    """Every few seconds: the question reads every row, and nothing is stale before thirty seconds are over."""
    global _looked_for_stale_at  # noqa: PLW0603 - one rhythm a process
    if time.monotonic() - _looked_for_stale_at < STALE_EVERY_SECONDS:
        return
    _looked_for_stale_at = time.monotonic()
    stale = staleness.find_stale_targets()
    if stale:
        staleness.mark_stale(stale)


@shared_task(ignore_result=True, base=WakeUpTask)
def housekeeping() -> None:
    """Once a minute: partitions ahead and behind, what was deleted, and whatever the apps above sweep."""
    partitions.maintain()
    retention.purge()
    _pass_on(signals.housekeeping)


def _pass_on(signal: Any) -> None:
    for receiver, answer in signal.send_robust(sender=None):
        if isinstance(answer, Exception):
            logger.error("doorbell_listener_failed", listener=getattr(receiver, "__name__", ""), error=repr(answer))


@shared_task(ignore_result=True, base=BrokerTimedTask)
def probe_batch(message: str) -> None:
    """Hand a batch to this process's engine and return: outcomes leave the engine as they finish.

    Opens no database. What the engine has no room for is left to its lease, and said in the log; so is a message that
    cannot be opened.
    """
    try:
        batch = messages.unpack_batch(message)
    except (SecretUnreadable, BadMessage):
        worker.key_watch.see_message(opened=False)
        return
    worker.key_watch.see_message(opened=True)
    refused = engine_host.submit(batch)
    if refused:
        logger.warning("engine_full", refused=len(refused), batch=len(batch.jobs), in_flight=engine_host.in_flight())


@shared_task(ignore_result=True, base=WakeUpTask)
def record_outcomes(message: str) -> None:
    """Store a hand-over of an engine (up to a few hundred outcomes) and decide what follows, in one transaction."""
    started = time.monotonic()
    recorded = intake.receive(message, _record)
    if recorded is not None:
        logger.debug("outcomes_recorded", kept=recorded.kept, seconds=round(time.monotonic() - started, 4))


def _record(finished: list[Finished], regions: dict[str, UUID]) -> recording.Recorded:
    """Once more when somebody's edit and this batch stood in each other's way: claims make a repeat harmless."""
    for left in reversed(range(RECORD_TRIES)):
        try:
            return recording.record_outcomes(finished, regions)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected | SerializationFailure) or not left:
                raise
            logger.warning("record_repeated", outcomes=len(finished), error=str(error.__cause__))
    raise AssertionError("the last try returns or raises")
