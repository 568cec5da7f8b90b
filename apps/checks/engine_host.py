"""The one probe engine of this worker process: started at the first batch, watched, and stopped with the worker.

Outcomes it hands over become messages on the `record` queue, so a worker without a database records as well as one
beside it.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from apps.checks import messages
from apps.checks.messages import Batch, GuardReport, Report
from apps.checks.regions.broker import BROKER_ERRORS, broker, seconds
from apps.checks.regions.broker_clock import BrokerClock
from apps.core.addresses import probe_policy
from apps.core.open_files import allow_sockets
from apps.probes.base import Finished, ProbeJob

if TYPE_CHECKING:
    from apps.checks.guards.line import Line
    from apps.probes.engine import Engine, Health

logger = structlog.get_logger(__name__)

# An engine whose loop has not turned for this long is stuck beyond its leases: the process ends and is restarted.
STUCK_SECONDS = 60
STUCK_EXIT_CODE = 70

# Names this process in what it reports: another one after every start.
WORKER = f"{socket.gethostname()}-{os.getpid()}"

# What looks start by and are dated with. Measured at every beat; until the first it is the machine's own.
clock = BrokerClock()

_lock = threading.Lock()
_engine: Engine | None = None
_line: Line | None = None


def submit(batch: Batch) -> list[ProbeJob]:
    """Hand a batch to the engine; returns the jobs it had no room for."""
    engine, line = _running()
    line.follow(batch.guards)
    return engine.submit(batch.jobs)


def in_flight() -> int:
    return 0 if _engine is None else _engine.in_flight()


def health() -> Health | None:
    """How the engine is doing; None before the first batch."""
    engine = _engine
    return None if engine is None else engine.health()


def measure_clock() -> None:
    """Ask the broker what time it is. Raises BROKER_ERRORS."""
    client = broker()
    clock.measure(lambda: seconds(client.time()))


def _running() -> tuple[Engine, Line]:
    global _engine, _line  # noqa: PLW0603 - one engine a process is the design
    with _lock:
        if _engine is None or _line is None:
            from apps.checks.guards.line import Line  # noqa: PLC0415 - only a worker that probes pays for libcurl
            from apps.probes.engine import Engine  # noqa: PLC0415

            _know_the_time()
            policy = probe_policy(settings.PORTAL_PROBE_DENY)
            _line = Line(hand_over=_hand_over, policy=policy, wall_clock=clock.now)
            _engine = Engine(
                policy=policy,
                deliver=_line.deliver,
                max_in_flight=allow_sockets(settings.PORTAL_PROBE_PLACES),
                wall_clock=clock.now,
            )
            _engine.start()
        return _engine, _line


def _know_the_time() -> None:
    """A batch may come before the first beat."""
    if not clock.is_known:
        try:
            measure_clock()
        except BROKER_ERRORS as error:
            logger.warning("broker_clock_unknown", error=str(error))


def _hand_over(finished: list[Finished], guards: list[GuardReport]) -> None:
    """Runs on the engine's delivery thread or the line's; raising makes them keep the outcomes and try again."""
    from apps.checks.tasks import record_outcomes  # noqa: PLC0415 - tasks use this module

    report = Report(
        region=settings.PORTAL_REGION,
        worker=WORKER,
        sent_at=clock.now(),
        outcomes=messages.without_configs(finished),
        guards=guards,
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
        os._exit(STUCK_EXIT_CODE)


def stop() -> None:
    """Stop the engine; what is in flight is given up, and its leases bring it back."""
    global _engine, _line
    with _lock:
        engine, _engine = _engine, None
        line, _line = _line, None
    if engine is not None:
        engine.stop(timeout=1.0)
    if line is not None:
        line.stop()
