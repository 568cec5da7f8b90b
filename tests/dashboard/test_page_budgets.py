"""Pages cost a fixed number of queries: at most 25, and the same at 10 and at 1,000 targets."""

from __future__ import annotations

from itertools import count
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import AIModel, Environment, Provider, Region, Service, Target, TargetStatus
from apps.checks.models import (
    AiCheckState,
    AiHour,
    Check,
    CheckEvidence,
    CheckRegion,
    CheckResult,
    CheckStatus,
    Guard,
    Incident,
    SpendDay,
    StateChange,
)
from apps.core import clock
from apps.core.ids import uuid7
from tests.dashboard.regions import hear, make_region, quiet_broker
from tests.factories import make_user

BUDGET = 25
# A page about one object shows more parts, and as many of them whatever the portal holds; a provider's and a model's
# show what was measured, spent and said of them besides.
OBJECT_BUDGET = 42
PAGES = [
    "/",
    "/targets/",
    "/models/",
    "/models/compare/",
    "/services/",
    "/services/?sort=status&status=outage",
    "/incidents/",
]
_STATUSES = ["outage", "degraded", "unknown", "operational"]
_numbers = count(1)


def fill(environment: Environment, number: int) -> None:
    """`number` targets of all kinds and statuses: each with a check, a result with its evidence, a past and, when it
    is not well, an open incident."""
    providers = _targets(environment, "provider", max(1, number // 20))
    rows = Provider.objects.bulk_create(Provider(target=target) for target in providers)
    models = _targets(environment, "model", number // 2, namespaces=[provider.pk for provider in providers])
    AIModel.objects.bulk_create(
        AIModel(target=target, provider=rows[position % len(rows)]) for position, target in enumerate(models)
    )
    services = _targets(environment, "service", number - len(providers) - len(models))
    Service.objects.bulk_create(Service(target=target) for target in services)
    targets = [*providers, *models, *services]
    assert len(targets) == number
    _looks(targets)


def _targets(environment: Environment, kind: str, number: int, namespaces: list[UUID] | None = None) -> list[Target]:
    return Target.objects.bulk_create(
        Target(
            kind=kind,
            name=f"{kind} {next(_numbers)}",
            environment=environment,
            namespace_id=namespaces[position % len(namespaces)] if namespaces else None,
            tags=[f"tag-{position % 5}"],
        )
        for position in range(number)
    )


def _looks(targets: list[Target]) -> None:
    now, region = clock.now(), Region.objects.get(slug="local")
    checks = Check.objects.bulk_create(
        Check(target=target, kind="tcp", name="TCP", config={"host": "127.0.0.1", "port": 9}) for target in targets
    )
    CheckStatus.objects.bulk_create(CheckStatus(source_check=check, since=now) for check in checks)
    CheckRegion.objects.bulk_create(
        CheckRegion(
            source_check=check,
            region=region,
            interval_seconds=60,
            timeout_seconds=5,
            next_due_at=now,
            verdict_since=now,
        )
        for check in checks
    )
    CheckResult.objects.bulk_create(
        CheckResult(
            at=now, id=uuid7(), check_id=check.pk, region_id=region.pk, state="ok", reason="ok", duration_ms=12.0
        )
        for check in checks
    )
    CheckEvidence.objects.bulk_create(
        CheckEvidence(at=now, id=uuid7(), check_id=check.pk, evidence={"host": "127.0.0.1"}) for check in checks
    )
    _measures([(target, check) for target, check in zip(targets, checks, strict=True) if target.kind == "model"])
    states = [_STATUSES[position % len(_STATUSES)] for position in range(len(targets))]
    TargetStatus.objects.bulk_create(
        TargetStatus(target=target, since=now, status=status, reason="timeout", cause_check=check.pk)
        for target, check, status in zip(targets, checks, states, strict=True)
    )
    StateChange.objects.bulk_create(
        StateChange(target=target, at=now, from_status="unknown", to_status=status, reason="timeout")
        for target, status in zip(targets, states, strict=True)
    )
    Incident.objects.bulk_create(
        Incident(target=target, severity=status, reason="timeout", opened_at=now)
        for target, status in zip(targets, states, strict=True)
        if status in ("outage", "degraded")
    )


def _measures(models: list[tuple[Target, Check]]) -> None:
    """What AI models have besides: a last look with an error, an hour, and a day's money."""
    now = clock.now()
    AiCheckState.objects.bulk_create(
        AiCheckState(
            source_check=check,
            target=target,
            at=now,
            state="failed",
            reason="overloaded",
            measured_at=now,
            ttft_ms=400.0,
        )
        for target, check in models
    )
    AiHour.objects.bulk_create(
        AiHour(
            check_id=check.pk, hour=now.replace(minute=0, second=0, microsecond=0), target_id=target.pk, kind="ai_ping"
        )
        for target, check in models
    )
    SpendDay.objects.bulk_create(
        SpendDay(day=now.date(), target_id=target.pk, provider_id=target.namespace_id, cost=1)
        for target, _check in models
        if target.namespace_id is not None
    )


def costs(client: Client, pages: list[str]) -> dict[str, int]:
    """Queries of the second look at each page."""
    found = {}
    for page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        found[page] = len(queries)
    return found


@pytest.mark.django_db
def test_pages_cost_the_same_at_10_and_at_1000_targets(client: Client, production: Environment) -> None:
    # Granted in one environment only, which costs the most: the grants are read, and every query is narrowed.
    client.force_login(make_user("operator", production))
    fill(production, 10)
    check = Check.objects.earliest("pk")
    incident = Incident.objects.earliest("pk")
    model = AIModel.objects.earliest("pk")
    objects = [check.target.get_absolute_url(), check.get_absolute_url(), incident.get_absolute_url()]
    objects += [model.target.get_absolute_url(), f"/models/compare/?ids={model.provider_id}"]
    at_ten = costs(client, [*PAGES, *objects])
    fill(production, 990)
    assert Target.objects.count() == 1_000
    at_a_thousand = costs(client, [*PAGES, *objects])
    assert at_a_thousand == at_ten
    assert max(at_a_thousand[page] for page in PAGES) <= BUDGET, at_a_thousand
    assert max(at_a_thousand[page] for page in objects) <= OBJECT_BUDGET, at_a_thousand


OPERATIONS = ["/", "/settings/health/", "/settings/regions/", "/settings/regions/region-1/"]


@pytest.mark.django_db
def test_pages_about_regions_cost_the_same_at_2_and_at_50_regions(client: Client, production: Environment) -> None:
    client.force_login(make_user("admin"))
    with quiet_broker():
        make_regions(2)
        fill(production, 10)
        few = costs(client, OPERATIONS)
        make_regions(50)
        fill(production, 990)
        many = costs(client, OPERATIONS)
    assert many == few
    assert max(many.values()) <= BUDGET, many


def make_regions(number: int) -> None:
    """`number` regions, each with a worker that was heard and two guards."""
    for position in range(1, number + 1):
        region = make_region(f"region-{position}")
        hear(region.slug)
        if not region.guards.exists():
            Guard.objects.bulk_create(
                Guard(region=region, name=name, kind="tcp", config={"host": "127.0.0.1", "port": 9})
                for name in ("Gateway", "Resolver")
            )
