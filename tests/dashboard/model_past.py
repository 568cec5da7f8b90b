"""A model with a past: checks on every rung, hours of history, results of the last days, money, a vendor's page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.catalog.models import AIModel, Region, TargetStatus
from apps.checks.ai.days import make_days
from apps.checks.ai.histograms import histogram_of
from apps.checks.models import (
    AiCheckState,
    AiHour,
    Check,
    CheckEvidence,
    CheckRegion,
    CheckResult,
    CheckStatus,
    SpendDay,
)
from apps.core import clock
from apps.core.ids import uuid7

# Kind, its name, how often, whether it affects the status, and how many looks an hour that makes.
LOOKED_AT = (
    ("ai_models", "Models list", 60, True, 60),
    ("ai_stream", "Streaming", 300, True, 12),
    ("ai_ping", "Ping", 60, True, 60),
    ("ai_canary", "Golden prompts", 86_400, False, 0),
)
_STREAMS = {"ai_stream"}
PROMPT = {
    "name": "capital of France",
    "assertion": "exact",
    "expected": "The capital of France is Paris.",
    "actual": "The capital of France is Lyon.",
    "detail": "The answer is another one.",
}


def add_checks(model: AIModel, kinds: tuple[str, ...] = ()) -> dict[str, Check]:
    """A check of each kind (default: all four), as rows: nothing is scheduled to look."""
    now, region = clock.now(), Region.objects.get(slug="local")
    made = {}
    for kind, name, interval, affects, _an_hour in LOOKED_AT:
        if kinds and kind not in kinds:
            continue
        check = Check.objects.create(
            target=model.target, kind=kind, name=name, interval_seconds=interval, affects_status=affects
        )
        CheckStatus.objects.create(source_check=check, since=now, verdict="operational", reason="ok")
        CheckRegion.objects.create(
            source_check=check,
            region=region,
            interval_seconds=interval,
            timeout_seconds=30,
            next_due_at=now + timedelta(days=365),
            verdict_since=now,
        )
        made[kind] = check
    return made


def set_state(check: Check, **fields: Any) -> AiCheckState:
    """What the last look at `check` found; good and measured unless said otherwise."""
    now = clock.now()
    values: dict[str, Any] = {
        "target": check.target,
        "at": now,
        "state": "ok",
        "reason": "ok",
        "measured_at": now,
        "duration_ms": 1_420.0,
        "ttft_ms": 412.0 if check.kind in _STREAMS else None,
        "answer_ttft_ms": 655.0 if check.kind in _STREAMS else None,
        "output_tokens_per_second": 83.1 if check.kind in _STREAMS else None,
        "rate_limit": None,
        **fields,
    }
    return AiCheckState.objects.update_or_create(source_check=check, defaults=values)[0]


def set_status(model: AIModel, status: str, reason: str, cause: Check | None = None) -> None:
    now = clock.now()
    TargetStatus.objects.filter(target=model.target).update(
        status=status, reason=reason, since=now, last_result_at=now, cause_check=cause.pk if cause else None
    )


def add_result(
    check: Check, *, at: datetime | None = None, evidence: dict[str, Any] | None = None, **fields: Any
) -> UUID:
    """One look as it is recorded, with its evidence where it has some."""
    identifier, when = uuid7(), at or clock.now()
    values = {"state": "ok", "reason": "ok", "duration_ms": 1_420.0, **fields}
    region = Region.objects.get(slug="local")
    CheckResult.objects.create(at=when, id=identifier, check_id=check.pk, region_id=region.pk, **values)
    if evidence is not None:
        CheckEvidence.objects.create(at=when, id=identifier, check_id=check.pk, evidence=evidence)
    return identifier


def add_canary_run(check: Check, *prompts: dict[str, Any], at: datetime | None = None) -> UUID:
    """A run of a canary: good without prompts, else with those as its evidence."""
    failed = sum(not prompt["passed"] for prompt in prompts)
    if not prompts:
        return add_result(check, at=at)
    evidence = {"prompts": list(prompts), "failed": failed, "count": len(prompts)}
    state, reason = ("degraded", "wrong_answer") if failed else ("ok", "ok")
    return add_result(check, at=at, state=state, reason=reason, evidence=evidence)


def spend(model: AIModel, day: datetime, cost: str, **fields: Any) -> SpendDay:
    values = {"looks": 100, "tokens_in": 3_000, "tokens_out": 12_000, "cost": Decimal(cost), **fields}
    return SpendDay.objects.create(day=day.date(), target_id=model.pk, provider_id=model.provider_id, **values)


def fill_past(model: AIModel, days: int = 90, *, seed: int = 1, base_ms: float = 400.0) -> dict[str, Check]:
    """Four checks of `model`, `days` of hours and money, results of the last two days, and a bad look or two."""
    rng, checks = random.Random(seed), add_checks(model)
    end = clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [end - timedelta(hours=number) for number in range(days * 24)]
    rows = [row for hour in hours for row in _hour(checks, hour, rng, base_ms)]
    AiHour.objects.bulk_create(rows, batch_size=2_000)
    make_days(_midnight(hours[-1]), _midnight(end))
    CheckResult.objects.bulk_create(_results(checks, rng, base_ms), batch_size=2_000)
    for number in range(days):
        spend(model, end - timedelta(days=number), f"{0.02 + 0.015 * rng.random():.6f}")
    limits = {
        "requests": {"limit": 500, "remaining": 412, "reset_seconds": 34},
        "tokens": {"limit": 30_000, "remaining": 2_100, "reset_seconds": 8},
    }
    for check in checks.values():
        set_state(check, rate_limit=limits, rate_limit_at=clock.now())
    for number in range(12, 0, -1):
        prompts = [PROMPT | {"passed": False}] if number == 3 else []
        add_canary_run(checks["ai_canary"], *prompts, at=clock.now() - timedelta(days=number))
    set_status(model, "operational", "ok")
    return checks


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(checks: dict[str, Check], hour: datetime, rng: random.Random, base_ms: float) -> Iterator[AiHour]:
    if hour.day == 7 and 3 <= hour.hour < 9:
        return  # nobody looked: a gap
    slow = 2.5 if hour.day % 9 == 0 and 13 <= hour.hour < 17 else 1.0
    for kind, _name, _interval, _affects, looks in LOOKED_AT:
        if not looks:
            continue
        bad = {"overloaded": 2, "rate_limit": 1} if slow > 1 else {"server_error": 1} if rng.random() < 0.06 else {}
        failed = bad.get("overloaded", 0) + bad.get("server_error", 0)
        times = [base_ms * slow * rng.lognormvariate(0, 0.25) for _ in range(looks)]
        streams = kind in _STREAMS
        yield AiHour(
            check_id=checks[kind].pk,
            hour=hour,
            target_id=checks[kind].target_id,
            kind=kind,
            looks=looks,
            ok=looks - failed - bad.get("rate_limit", 0),
            degraded=bad.get("rate_limit", 0),
            failed=failed,
            rate_limited=bad.get("rate_limit", 0),
            errors=bad,
            durations=histogram_of(value * 3 for value in times),
            first_tokens=histogram_of(times) if streams else {},
            first_answers=histogram_of(value * 1.4 for value in times) if streams else {},
            speeds=histogram_of(90 / slow * rng.lognormvariate(0, 0.15) for _ in times) if streams else {},
        )


def _results(checks: dict[str, Check], rng: random.Random, base_ms: float) -> Iterator[CheckResult]:
    now, region = clock.now(), Region.objects.get(slug="local")
    for kind, _name, interval, _affects, looks in LOOKED_AT:
        for number in range(48 * looks):
            first = base_ms * rng.lognormvariate(0, 0.25)
            measured = {
                "ttft_ms": first,
                "answer_ttft_ms": first * 1.4,
                "output_tokens_per_second": 90 - rng.random() * 20,
            }
            bad = rng.random() < 0.01
            yield CheckResult(
                at=now - timedelta(seconds=interval * number),
                id=uuid7(),
                check_id=checks[kind].pk,
                region_id=region.pk,
                state="failed" if bad else "ok",
                reason="overloaded" if bad else "ok",
                duration_ms=first * 3,
                measurements=measured if kind in _STREAMS and not bad else {},
            )
