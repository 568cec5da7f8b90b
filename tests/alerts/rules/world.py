"""What stories of rules need: a portal that has been looking for a while, measurements, and rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.alerts.models import Alert, Rule, RuleState
from apps.alerts.ruling.evaluate import evaluate_rules
from apps.alerts.ruling.services import create_rule
from apps.catalog.models import Region, Target, TargetStatus
from apps.checks.models import Check, CheckRegion, CheckResult, CheckStatus, Clock, StateChange
from apps.core import clock
from apps.core.clock import database_now
from apps.core.ids import uuid7
from tests.factories import make_check, make_service

MINUTE = timedelta(minutes=1)


def look_steadily(since: datetime | None = None) -> None:
    """As if the portal had ticked without a gap since then, a day by default."""
    now = clock.now()
    Clock.objects.update_or_create(id=1, defaults={"ticked_at": now, "steady_since": since or now - timedelta(days=1)})


def make_target(name: str = "Shop", **fields: Any) -> Target:
    """A service with one http check that was looked at just now."""
    target = make_service(name, **fields).target
    heard(make_check(target))
    return target


def heard(check: Check, at: datetime | None = None) -> None:
    """As if its regions had a fresh outcome."""
    CheckRegion.objects.filter(source_check=check).update(last_result_at=at or clock.now())


def measure(
    target: Target,
    *milliseconds: float,
    check: Check | None = None,
    ago: timedelta = timedelta(seconds=10),
    **fields: Any,
) -> None:
    """Results of the target's only check, or of `check`, a second apart."""
    check = check or target.checks.get()
    region = Region.objects.get(slug="local")
    now = clock.now()
    CheckResult.objects.bulk_create(
        CheckResult(
            at=now - ago - timedelta(seconds=number),
            id=uuid7(),
            check_id=check.pk,
            region_id=region.pk,
            duration_ms=duration,
            **{"state": "ok", "reason": "ok", **fields},
        )
        for number, duration in enumerate(milliseconds)
    )


def forget_results() -> None:
    CheckResult.objects.all().delete()


def become(target: Target, status: str, reason: str = "timeout", *, ago: timedelta = timedelta()) -> None:
    """The target's status, and the change that led to it."""
    at = clock.now() - ago
    before = TargetStatus.objects.get(target=target).status
    TargetStatus.objects.filter(target=target).update(status=status, reason=reason, since=at)
    StateChange.objects.create(
        target=target,
        at=at,
        from_status=before,
        to_status=status,
        reason=reason,
        source_check=target.checks.first(),
    )


def judge_check(target: Target, verdict: str, reason: str = "timeout") -> None:
    CheckStatus.objects.filter(source_check__target=target).update(verdict=verdict, reason=reason)


def make_rule(name: str = "Rule", kind: str = "latency", **fields: Any) -> Rule:
    if kind == "latency" and not {"warning_level", "critical_level"} & set(fields):
        fields["critical_level"] = 2_000
    return create_rule(actor=None, name=name, kind=kind, **fields)[0]


def only_rule(*args: Any, **fields: Any) -> Rule:
    """A rule, and no default ones beside it."""
    Rule.objects.update(enabled=False)
    return make_rule(*args, **fields)


def evaluate() -> int:
    return evaluate_rules()


def later(by: timedelta) -> None:
    """As if what rules remember had happened so much earlier."""
    for row in RuleState.objects.all():
        row.since -= by
        row.worst_since = None if row.worst_since is None else row.worst_since - by
        row.save(update_fields=["since", "worst_since"])


def firing() -> list[tuple[str, str, str]]:
    """(target or "", cause, severity) of every open alert."""
    rows = Alert.objects.firing().select_related("target")
    return sorted((row.target.name if row.target else "", row.cause, row.severity) for row in rows)


def now() -> datetime:
    return database_now()


def run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
