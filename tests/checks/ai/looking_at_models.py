"""Builders for stories about models: checks of the AI kinds, looks at them, and days of results in one statement."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.catalog.models import Target
from apps.checks import schedule
from apps.checks.models import Check
from apps.core import clock
from apps.probes.base import Finished, OutcomeState, ProbeJob, Reason
from apps.probes.base import Outcome as ProbeOutcome
from tests.checks.looking import claim, local, record
from tests.factories import make_model


def make_ai_check(target: Target | None = None, kind: str = "ai_ping", **fields: Any) -> Check:
    """A check of an AI kind as it stands in the table; its config is never opened here."""
    values: dict[str, Any] = {"interval_seconds": 60, "timeout_seconds": 5, "name": kind, "enabled_at": clock.now()}
    target = target or make_model().target
    check = Check.objects.create(target=target, kind=kind, **values | fields)
    schedule.sync_regions(check)
    return check


def outcome(state: OutcomeState = OutcomeState.OK, reason: Reason = Reason.OK, **fields: Any) -> ProbeOutcome:
    values: dict[str, Any] = {"duration_ms": 800.0, "started_at": time.time(), **fields}
    return ProbeOutcome(state=state, reason=reason, **values)


def finished(check: Check, result: ProbeOutcome, generation: int, run: str | None = None) -> Finished:
    job = ProbeJob(
        check=str(check.pk),
        region="local",
        generation=generation,
        kind=check.kind,
        config={},
        timeout_seconds=5,
        run=run,
    )
    return Finished(job=job, outcome=result)


def look(check: Check, state: OutcomeState = OutcomeState.OK, reason: Reason = Reason.OK, **fields: Any) -> None:
    """Claim, look and record once, as the whole pipeline would."""
    record(finished(check, outcome(state, reason, **fields), claim(check)))


OK, DEGRADED, FAILED = OutcomeState.OK, OutcomeState.DEGRADED, OutcomeState.FAILED

_FILL = """
    INSERT INTO checks_checkresult (at, id, check_id, region_id, state, reason, duration_ms, status_code, measurements)
    SELECT at, gen_random_uuid(), %(check)s, %(region)s, %(state)s, %(reason)s, %(duration)s * (0.8 + 0.4 * random()),
           200, CASE WHEN %(ttft)s::float8 IS NULL THEN '{}' ELSE jsonb_build_object(
               'ttft_ms', %(ttft)s::float8 * (0.8 + 0.4 * random()),
               'answer_ttft_ms', %(ttft)s::float8 * (1.0 + 0.4 * random()),
               'output_tokens_per_second', 40 + 40 * random()) END
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 second',
                         make_interval(secs => %(every)s)) AS at
"""


def fill(
    check: Check,
    start: datetime,
    end: datetime,
    *,
    every: timedelta = timedelta(minutes=5),
    state: OutcomeState = OK,
    reason: Reason = Reason.OK,
    duration: float = 800.0,
    ttft: float | None = 400.0,
) -> None:
    """Results of one check at regular moments, within a fifth of `duration` and `ttft` (ms; None: no stream)."""
    values = {
        "check": check.pk,
        "region": local().pk,
        "state": state.value,
        "reason": reason.value,
        "duration": duration,
        "ttft": ttft,
        "start": start,
        "end": end,
        "every": every.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)
