"""Rules: how long one evaluation of 2,000 rules over 2,000 targets takes, through the real database.

    .venv/bin/python manage.py portal exec -- .venv/bin/python -m benchmarks.bench_rules

Runs on throw-away servers. The rules are of every kind and of several windows each; a third of them is about all
targets, the rest about one tag, one name, or a pattern. Results are those of ten minutes with a look every 30 s.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

TARGETS = 2_000
RULES = 2_000
TAGS = 50
LOOKS = 20
RUNS = 5


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitor_portal.settings.test")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    random.seed(1)
    make_targets()
    make_rules()
    know_the_tables()
    measure()


def make_targets() -> None:
    from apps.catalog.models import AIModel, Environment, Provider, Region, Service, Target, TargetStatus
    from apps.checks.models import Check, CheckRegion, CheckResult, CheckStatus, Clock, StateChange
    from apps.core import clock
    from apps.core.ids import uuid7

    now = clock.now()
    Clock.objects.update_or_create(id=1, defaults={"ticked_at": now, "steady_since": now - timedelta(days=40)})
    environments, region = list(Environment.objects.all()), Region.objects.get(slug="local")
    kinds = ["provider" if number % 20 == 0 else "service" for number in range(TARGETS)]
    targets = Target.objects.bulk_create(
        Target(
            kind=kind,
            name=f"{kind} {number}",
            environment=environments[number % len(environments)],
            tags=[f"tag{number % TAGS}", "all"],
        )
        for number, kind in enumerate(kinds)
    )
    Service.objects.bulk_create(Service(target=target) for target in targets if target.kind == "service")
    offered = [f"model-{number}" for number in range(30)]
    Provider.objects.bulk_create(
        Provider(target=target, offered_models=offered, last_discovered_at=now)
        for target in targets
        if target.kind == "provider"
    )
    assert not AIModel.objects.exists()
    TargetStatus.objects.bulk_create(
        TargetStatus(target=target, since=now, status=status_of(number)) for number, target in enumerate(targets)
    )
    changes = [
        StateChange(
            target=target,
            at=now - timedelta(hours=hours),
            from_status="unknown",
            to_status="outage" if hours % 50 == 1 and number % 20 == 0 else "operational",
            reason="ok",
            routed_at=now,
        )
        for number, target in enumerate(targets)
        for hours in range(1, 721, 48)
    ]
    StateChange.objects.bulk_create(changes, batch_size=5_000)
    checks = Check.objects.bulk_create(
        Check(
            target=target,
            kind="http",
            name="HTTP",
            config={"url": f"https://host-{number}.example/"},
            interval_seconds=30,
        )
        for number, target in enumerate(targets)
    )
    CheckStatus.objects.bulk_create(
        CheckStatus(source_check=check, since=now, verdict=status_of(number)) for number, check in enumerate(checks)
    )
    CheckRegion.objects.bulk_create(
        CheckRegion(
            source_check=check,
            region=region,
            interval_seconds=30,
            timeout_seconds=5,
            next_due_at=now + timedelta(minutes=5),
            verdict_since=now,
            last_result_at=now,
        )
        for check in checks
    )
    results = [
        CheckResult(
            at=now - timedelta(seconds=30 * look + 1),
            id=uuid7(),
            check_id=check.pk,
            region_id=region.pk,
            state="ok",
            reason="ok",
            duration_ms=random.lognormvariate(4.5, 0.5) * (30 if number % 100 == 0 else 1),
            measurements={"first_byte_ms": 10.0, "certificate_days": 5.0 if number % 100 == 1 else 60.0},
        )
        for look in range(LOOKS)
        for number, check in enumerate(checks)
    ]
    CheckResult.objects.bulk_create(results, batch_size=5_000)


def status_of(number: int) -> str:
    return "outage" if number % 100 == 0 else "operational"


SHAPES: list[dict[str, Any]] = [
    {"kind": "latency", "config": {"percentile": "p95"}, "critical_level": 2_000, "warning_level": 1_500},
    {"kind": "latency", "config": {"percentile": "p50", "window_seconds": 600}, "critical_level": 1_000},
    {"kind": "latency", "config": {"percentile": "p99", "window_seconds": 120}, "critical_level": 5_000},
    {"kind": "status", "config": {"statuses": ["outage"]}, "severity": "critical"},
    {"kind": "status", "config": {"statuses": ["unknown"]}, "severity": "warning"},
    {"kind": "check_failed", "config": {"check_kinds": ["http"]}, "severity": "critical"},
    {"kind": "uptime", "config": {}, "operator": "<", "warning_level": 99},
    {"kind": "uptime", "config": {"window_seconds": 30 * 86_400}, "operator": "<", "critical_level": 90},
    {"kind": "certificate_days", "config": {}, "operator": "<", "warning_level": 14, "critical_level": 7},
    {"kind": "catalog_drift", "config": {}, "warning_level": 10},
]


def make_rules() -> None:
    from apps.alerts.models import Rule

    Rule.objects.update(enabled=False)
    rules = []
    for number in range(RULES):
        shape = dict(SHAPES[number % len(SHAPES)])
        # No two rules have the same level, as if a person had made each.
        for level in ("warning_level", "critical_level"):
            if level in shape:
                shape[level] += number / 1e6
        rules.append(Rule(name=f"Rule {number}", matchers=matchers_of(number), for_seconds=0, **shape))
    Rule.objects.bulk_create(rules, batch_size=1_000)


def matchers_of(number: int) -> list[dict[str, str]]:
    which = number // len(SHAPES) % 3
    if which == 0:
        return [{"label": "tag", "operator": "=", "value": "all"}] if number >= 600 else []
    if which == 1:
        return [{"label": "tag", "operator": "=", "value": f"tag{number % TAGS}"}]
    return [{"label": "target", "operator": "=~", "value": f".* {number % 10}.*{number}"}]


def know_the_tables() -> None:
    """What autovacuum does on a real server, and throw-away ones leave out: without it plans are guesses."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure() -> None:
    from apps.alerts.models import Alert, Rule, RuleState
    from apps.alerts.ruling.evaluate import evaluate_rules

    first = timed(evaluate_rules)
    print(f"first run, with {RuleState.objects.count()} standings written: {first:.2f} s")
    while evaluate_rules():
        pass
    before = time.process_time()
    runs = sorted(timed(evaluate_rules) for _ in range(RUNS))
    cpu = (time.process_time() - before) / RUNS
    print(
        f"{Rule.objects.filter(enabled=True).count()} rules over {TARGETS} targets, "
        f"{RuleState.objects.count()} standings, {Alert.objects.firing().count()} alerts fire"
    )
    print(
        f"one evaluation: median {runs[RUNS // 2]:.2f} s, slowest of {RUNS} {runs[-1]:.2f} s (allowed: 2 s); "
        f"{cpu:.2f} s of it CPU of this process; load average {os.getloadavg()[0]:.1f}"
    )


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
