"""Builders for stories about looking: a service with a check, claims, and outcomes as the engine hands them over."""

from __future__ import annotations

import time
from typing import Any

from apps.catalog.models import Region
from apps.catalog.services import create_service
from apps.checks import recording, schedule
from apps.checks.models import Check
from apps.checks.services import create_check
from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason

REASONS = {
    OutcomeState.OK: Reason.OK,
    OutcomeState.DEGRADED: Reason.SLOW,
    OutcomeState.FAILED: Reason.STATUS_MISMATCH,
    OutcomeState.INDETERMINATE: Reason.WORKER_LATE,
}


def local() -> Region:
    return Region.objects.get(slug="local")


def make_check(name: str = "Shop", **fields: Any) -> Check:
    """A service called `name` with one http check; nothing was looked at yet."""
    service = create_service(actor=None, name=name)
    return add_check(service.target, **fields)


def add_check(target: Any, **fields: Any) -> Check:
    values: dict[str, Any] = {
        "kind": "http",
        "name": "HTTP",
        "config": {"url": "http://127.0.0.1:9/"},
        "interval_seconds": 60,
        "timeout_seconds": 5,
        **fields,
    }
    return create_check(actor=None, target=target, **values)


def claim(check: Check) -> int:
    """Claim the check ahead of time and return the generation its result must carry."""
    generation = schedule.claim_now(check.pk, local().pk)
    assert generation is not None
    return generation


def finished(check: Check, state: OutcomeState, generation: int, **fields: Any) -> Finished:
    job = ProbeJob(
        check=str(check.pk),
        region="local",
        generation=generation,
        kind=check.kind,
        config={},
        timeout_seconds=5,
        run=fields.pop("run", None),
    )
    evidence = {"expected": 200, "actual": 503} if state is OutcomeState.FAILED else {}
    values: dict[str, Any] = {
        "state": state,
        "reason": REASONS[state],
        "duration_ms": 12.5,
        "evidence": evidence,
        "started_at": time.time(),
        **fields,
    }
    return Finished(job=job, outcome=Outcome(**values))


def record(*items: Finished) -> recording.Recorded:
    return recording.record_outcomes(items, {"local": local().pk})


def look(check: Check, *states: OutcomeState) -> None:
    """Claim, probe and record once for each state, as the whole pipeline would."""
    for state in states:
        record(finished(check, state, claim(check)))


OK, DEGRADED, FAILED = OutcomeState.OK, OutcomeState.DEGRADED, OutcomeState.FAILED
INDETERMINATE = OutcomeState.INDETERMINATE
