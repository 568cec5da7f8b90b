"""The one probe engine of this worker process: started at the first batch, watched, and stopped with the worker.

Outcomes it hands over become messages on the `record` queue, so a worker without a database records as well as one
beside it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from apps.checks import messages
from apps.checks.messages import Batch, Report
from apps.core.addresses import probe_policy
from apps.probes.base import Finished, ProbeJob

if TYPE_CHECKING:
    from apps.probes.engine import Engine

logger = structlog.get_logger(__name__)

# An engine whose loop has not turned for this long is stuck beyond its leases: the process ends and is restarted.
STUCK_SECONDS = 60

# Names this process in what it reports: another one after every start.
WORKER = f"{socket.gethostname()}-{os.getpid()}"

_lock = threading.Lock()
_engine: Engine | None = None


def submit(batch: Batch) -> list[ProbeJob]:
    """Hand a batch to the engine; returns the jobs it had no room for."""
    return _running().submit(batch.jobs)


def in_flight() -> int:
    return 0 if _engine is None else _engine.in_flight()


def _running() -> Engine:
    global _engine  # noqa: PLW0603 - one engine a process is the design
    with _lock:
        if _engine is None:
            from apps.probes.engine import Engine  # noqa: PLC0415 - only a worker that probes pays for libcurl

            _engine = Engine(policy=probe_policy(settings.PORTAL_PROBE_DENY), deliver=_deliver)
            _engine.start()
        return _engine


def _deliver(finished: list[Finished]) -> None:
    """Runs on the engine's delivery thread; raising makes the engine keep the outcomes and try again."""
    from apps.checks.tasks import record_outcomes  # noqa: PLC0415 - tasks use this module

    report = Report(
        region=settings.PORTAL_REGION,
        worker=WORKER,
        sent_at=time.time(),
        outcomes=messages.without_configs(finished),
    )
    record_outcomes.apply_async(args=(messages.pack_report(report),))


def end_if_stuck() -> None:
    """End this process when its engine is stuck: leases bring its checks back, and the launcher brings a new one."""
    engine = _engine
    if engine is None:
        return
    age = engine.health().loop_age_seconds
    if age > STUCK_SECONDS:
        logger.critical("engine_stuck", loop_age_seconds=round(age, 1))
        os._exit(70)


def stop() -> None:
    """Stop the engine; what is in flight is given up, and its leases bring it back."""
    global _engine
    with _lock:
        engine, _engine = _engine, None
    if engine is not None:
        engine.stop(timeout=1.0)
