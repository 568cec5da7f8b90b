"""What arrives from workers: opened, judged, dated, recorded; and what must not be, dropped and counted by reason.

Nothing in a report is believed that the database can say better: the generation says whether a look was wanted, and
the database's clock when it can have begun.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from apps.checks import messages, recording
from apps.checks.guards.recording import record_guard_reports
from apps.checks.messages import BadMessage, Report
from apps.checks.regions import outcomes
from apps.checks.regions.broker import BROKER_ERRORS, broker
from apps.checks.regions.outcomes import Fate
from apps.checks.schedule import LEASE_MARGIN_SECONDS
from apps.core import statements
from apps.core.clock import database_moment
from apps.core.secrets import SecretUnreadable
from apps.probes.base import Finished

logger = structlog.get_logger(__name__)

# On the way for longer, a report says nothing that is still wanted: its looks were given to somebody else.
OLDEST_SECONDS = 300
# Clocks of a database and a broker may differ by a little.
NEWEST_SECONDS = 60

Record = Callable[[list[Finished], dict[str, UUID]], recording.Recorded]


def receive(message: str, record: Record) -> recording.Recorded | None:
    """Take one report in. `record` stores outcomes; None when nothing of the report may be used."""
    dropped: Counter[str] = Counter()
    now, regions = _now_and_regions()
    report = _opened(message, now, dropped)
    recorded = None
    if report is not None:
        recorded = _recorded(report, now, regions, dropped, record)
        dropped.update(recorded.dropped_by)
    if dropped:
        logger.warning(
            "outcomes_dropped",
            region=report.region if report else "",
            worker=report.worker if report else "",
            kept=recorded.kept if recorded else 0,
            **dropped,
        )
    _count(dropped, recorded.kept if recorded else 0)
    return recorded


def _now_and_regions() -> tuple[datetime, dict[str, UUID]]:
    """The moment by the database's clock, and every region's id by its short name. One statement."""
    rows = statements.run("SELECT clock_timestamp(), slug, id FROM catalog_region")
    return (rows[0][0] if rows else database_moment()), {slug: identifier for _now, slug, identifier in rows}


def _opened(message: str, now: datetime, dropped: Counter[str]) -> Report | None:
    """The report; None for what is forged, of another shape, or out of its time."""
    try:
        report = messages.unpack_report(message)
    except SecretUnreadable:
        dropped[Fate.FORGED] += 1
        return None
    except BadMessage:
        dropped[Fate.MALFORMED] += 1
        return None
    age = now.timestamp() - report.sent_at
    if -NEWEST_SECONDS <= age <= OLDEST_SECONDS:
        return report
    dropped[Fate.TOO_OLD if age > 0 else Fate.FROM_THE_FUTURE] += max(len(report.outcomes), 1)
    return None


def _recorded(
    report: Report, now: datetime, regions: dict[str, UUID], dropped: Counter[str], record: Record
) -> recording.Recorded:
    finished: list[Finished] = []
    for one in report.outcomes:
        if _is_ours(one, report.region):
            finished.append(_dated(one, now))
        else:
            dropped[Fate.MALFORMED] += 1
    recorded = record(finished, regions)
    region = regions.get(report.region)
    if report.guards and region is not None:
        record_guard_reports(region, report.guards)
    return recorded


def _is_ours(one: Finished, region: str) -> bool:
    """Whether its ids are ids, and the region is the reporter's own."""
    with contextlib.suppress(ValueError):
        for identifier in (one.job.check, *([one.job.run] if one.job.run else [])):
            UUID(identifier)
        return one.job.region == region
    return False


def _dated(one: Finished, now: datetime) -> Finished:
    """Its beginning, moved to where it can have been: not after now, not before its claim and the way here."""
    latest = now.timestamp()
    earliest = latest - one.job.timeout_seconds - LEASE_MARGIN_SECONDS - OLDEST_SECONDS
    began = min(max(one.outcome.started_at, earliest), latest)
    if began == one.outcome.started_at:
        return one
    return Finished(job=one.job, outcome=one.outcome.amended(started_at=began))


def _count(dropped: Counter[str], kept: int) -> None:
    numbers: dict[Any, int] = {Fate(reason): number for reason, number in dropped.items()}
    if kept:
        numbers[Fate.RECORDED] = kept
    try:
        if numbers:
            outcomes.count(broker(), numbers)
    except BROKER_ERRORS as error:
        logger.info("outcomes_not_counted", error=str(error))
