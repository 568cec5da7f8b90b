"""The tasks of looking: the doorbell, the hand-over to the probe engine, and the recording of what it found.

Every task is idempotent and safe to lose: rows are the truth, messages only wake.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import shared_task
from django.db import OperationalError
from psycopg.errors import DeadlockDetected, SerializationFailure

from apps.catalog.models import Region
from apps.checks import dispatch, engine_host, messages, partitions, recording, retention, schedule, signals, staleness
from apps.checks.guards.recording import record_guard_reports
from apps.probes.base import Finished

RECORD_TRIES = 3

logger = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def tick() -> None:
    """Once a second: claim and send what is due, look for stale verdicts, and pass the doorbell on."""
    for step in (schedule.mark_tick, dispatch.dispatch_due, _mark_stale):
        try:
            step()
        except Exception:  # one step that fails must not stop the others: alerts hang on this doorbell
            logger.exception("tick_step_failed", step=getattr(step, "__name__", ""))
    _pass_on(signals.ticked)


def _mark_stale() -> None:
    stale = staleness.find_stale_targets()
    if stale:
        staleness.mark_stale(stale)


@shared_task(ignore_result=True)
def housekeeping() -> None:
    """Once a minute: partitions ahead and behind, what was deleted, and whatever the apps above sweep."""
    partitions.maintain()
    retention.purge()
    _pass_on(signals.housekeeping)


def _pass_on(signal: Any) -> None:
    for receiver, answer in signal.send_robust(sender=None):
        if isinstance(answer, Exception):
            logger.error("doorbell_listener_failed", listener=getattr(receiver, "__name__", ""), error=repr(answer))


@shared_task(ignore_result=True)
def probe_batch(message: str) -> None:
    """Hand a batch to this process's engine and return: outcomes leave the engine as they finish.

    Opens no database. What the engine has no room for is left to its lease, and said in the log.
    """
    batch = messages.unpack_batch(message)
    refused = engine_host.submit(batch)
    if refused:
        logger.warning("engine_full", refused=len(refused), batch=len(batch.jobs), in_flight=engine_host.in_flight())


@shared_task(ignore_result=True)
def record_outcomes(message: str) -> None:
    """Store a hand-over of an engine (up to a few hundred outcomes) and decide what follows, in one transaction."""
    report = messages.unpack_report(message)
    started = time.monotonic()
    recorded = _record(report.outcomes)
    if recorded.dropped:
        logger.info("outcomes_dropped", dropped=recorded.dropped, kept=recorded.kept)
    logger.debug("outcomes_recorded", kept=recorded.kept, seconds=round(time.monotonic() - started, 4))
    region_id = _region_ids().get(report.region) if report.guards else None
    if region_id is not None:
        record_guard_reports(region_id, report.guards)


def _record(finished: list[Finished]) -> recording.Recorded:
    """Once more when somebody's edit and this batch stood in each other's way: claims make a repeat harmless."""
    for left in reversed(range(RECORD_TRIES)):
        try:
            return recording.record_outcomes(finished, _region_ids())
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected | SerializationFailure) or not left:
                raise
            logger.warning("record_repeated", outcomes=len(finished), error=str(error.__cause__))
    raise AssertionError("the last try returns or raises")


def _region_ids() -> dict[str, Any]:
    return dict(Region.objects.values_list("slug", "pk"))
