"""Lists cost a fixed number of queries: at most 25, and the same at 10 and at 1,000 targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.access import Scope
from apps.accounts.models import User
from apps.alerts.models import Alert, AlertEvent, AlertSource, Channel, Notification, Route, Rule, RuleState, Silence
from apps.catalog.models import AIModel, Environment, Provider, Service, Target, TargetStatus
from apps.checks.models import (
    Check,
    CheckRegion,
    CheckStatus,
    Heartbeat,
    HeartbeatRun,
    Incident,
    IncidentEvent,
    SpendDay,
    StateChange,
    VendorIncident,
    VendorPage,
)
from apps.core import clock
from apps.core.ids import uuid7
from apps.dashboard import overview
from tests.factories import api_client, make_token, make_user

pytestmark = pytest.mark.django_db
BUDGET = 25

LISTS = [
    "environments/",
    "regions/",
    "guards/",
    "providers/?limit=500",
    "prices/?limit=500",
    "budgets/",
    "spending/?limit=500",
    "spending/?by=month,provider",
    "models/?limit=500",
    "services/?limit=500",
    "targets/?limit=500",
    "targets/?limit=500&environment=prod&status=outage&tag=web",
    "checks/?limit=500",
    "heartbeats/?limit=500",
    "ping-keys/",
    "incidents/?limit=500",
    "state-changes/?limit=500",
    "alerts/?limit=500",
    "alerts/?limit=500&environment=prod&state=open&severity=critical",
    "rules/?limit=500",
    "rule-kinds/",
    "routes/?limit=500",
    "silences/?limit=500",
    "silences/?limit=500&active=true",
    "channels/?limit=500",
    "notifications/?limit=500",
    "vendor-status/?limit=500",
    "tokens/",
    "check-kinds/",
    "summary/",
]
_KINDS: dict[str, Callable[[Target, list[Provider]], Any]] = {
    "model": lambda target, providers: AIModel(target=target, provider=providers[0]),
    "service": lambda target, _providers: Service(target=target),
}


def fill(environment: Environment, number: int) -> None:
    """`number` targets, each with its status, a check, an incident and its history."""
    now = clock.now()
    provider = Target.objects.create(kind="provider", name=f"Provider {uuid7()}", environment=environment)
    providers = [Provider.objects.create(target=provider)]
    kinds = ["model" if position % 2 else "service" for position in range(number - 1)]
    targets = Target.objects.bulk_create(
        Target(
            kind=kind,
            name=f"{kind} {uuid7()}",
            environment=environment,
            namespace_id=provider.pk if kind == "model" else None,
            tags=["web"],
        )
        for kind in kinds
    )
    for kind, make in _KINDS.items():
        rows = [make(target, providers) for target in targets if target.kind == kind]
        type(rows[0])._default_manager.bulk_create(rows)
    VendorPage.objects.create(provider=providers[0], since=now)
    VendorIncident.objects.create(
        provider=providers[0], external_id="1", name="x", status="outage", started_at=now, seen_at=now
    )
    SpendDay.objects.bulk_create(
        SpendDay(day=now.date(), target_id=target.pk, provider_id=provider.pk, cost=1)
        for target in targets
        if target.kind == "model"
    )
    everything = [provider, *targets]
    TargetStatus.objects.bulk_create(TargetStatus(target=target, since=now, status="outage") for target in everything)
    Target.depends_on.through.objects.bulk_create(
        Target.depends_on.through(from_target=target, to_target=provider) for target in targets
    )
    _fill_checks(everything, environment)
    _fill_incidents(everything, environment)
    _fill_alerts(everything, environment)


def _fill_checks(targets: list[Target], environment: Environment) -> None:
    from apps.catalog.models import Region  # noqa: PLC0415

    now = clock.now()
    region = Region.objects.get(slug="local")
    checks = Check.objects.bulk_create(
        Check(target=target, kind="tcp", name="TCP", config={"host": "127.0.0.1", "port": 9}, interval_seconds=60)
        for target in targets
    )
    heartbeats = Check.objects.bulk_create(
        Check(target=target, kind="heartbeat", name="Heartbeat", config={}) for target in targets
    )
    rows = Heartbeat.objects.bulk_create(Heartbeat(source_check=check, slug=str(check.pk)) for check in heartbeats)
    HeartbeatRun.objects.bulk_create(HeartbeatRun(heartbeat=row, started_at=now) for row in rows)
    CheckStatus.objects.bulk_create(CheckStatus(source_check=check, since=now) for check in [*checks, *heartbeats])
    CheckRegion.objects.bulk_create(
        CheckRegion(
            source_check=check,
            region=region,
            interval_seconds=60,
            timeout_seconds=5,
            next_due_at=now + timedelta(hours=1),
            verdict_since=now,
        )
        for check in checks
    )


def _fill_incidents(targets: list[Target], environment: Environment) -> None:
    now = clock.now()
    incidents = Incident.objects.bulk_create(
        Incident(target=target, severity="outage", reason="timeout", opened_at=now) for target in targets
    )
    IncidentEvent.objects.bulk_create(
        IncidentEvent(incident=incident, kind="opened", at=now, sequence=1) for incident in incidents
    )
    StateChange.objects.bulk_create(
        StateChange(target=target, at=now, from_status="unknown", to_status="outage", reason="timeout")
        for target in targets
    )
    channels = Channel.objects.bulk_create(
        Channel(
            name=f"Channel {uuid7()}", kind="webhook", config={"url": "http://127.0.0.1:9/"}, environment=environment
        )
        for _ in targets[:500]
    )
    Notification.objects.bulk_create(
        Notification(
            channel=channels[0],
            environment=environment,
            source=uuid7(),
            kind="incident.opened",
            incident=incident,
            not_before=now,
            created_at=now,
        )
        for incident in incidents
    )


def _fill_alerts(targets: list[Target], environment: Environment) -> None:
    now = clock.now()
    incidents = {incident.target_id: incident for incident in Incident.objects.filter(target__in=targets)}
    alerts = Alert.objects.bulk_create(
        Alert(
            fingerprint=f"{target.pk}:status",
            cause="status",
            environment=environment,
            target=target,
            incident=incidents[target.pk],
            severity="critical",
            labels={"environment": environment.slug, "kind": target.kind, "target": target.name, "tag": ["web"]},
            started_at=now,
        )
        for target in targets
    )
    AlertSource.objects.bulk_create(
        AlertSource(alert=alert, kind="incident", key=str(alert.incident_id), name="Incident", since=now)
        for alert in alerts
    )
    AlertEvent.objects.bulk_create(
        AlertEvent(alert=alert, kind="firing", at=now, sequence=1, severity="critical", source=uuid7(), routed_at=now)
        for alert in alerts
    )
    matchers = [{"label": "tag", "operator": "=", "value": "web"}]
    Silence.objects.bulk_create(
        Silence(
            environment=environment, matchers=matchers, starts_at=now, ends_at=now + timedelta(hours=1), comment="x"
        )
        for _ in targets
    )
    rules = Rule.objects.bulk_create(
        Rule(name=f"Rule {uuid7()}", kind="latency", environment=environment, critical_level=2_000.0) for _ in targets
    )
    RuleState.objects.bulk_create(
        RuleState(
            rule=rule, target=target, level="critical", since=now, firing=True, severity="critical", evaluated_at=now
        )
        for rule, target in zip(rules, targets, strict=True)
    )
    # 500 is the most there may be.
    room = 500 - Route.objects.count()
    routes = Route.objects.bulk_create(Route(name=f"Route {uuid7()}", matchers=matchers) for _ in targets[:room])
    channel = Channel.objects.filter(environment=environment)[0]
    Route.channels.through.objects.bulk_create(Route.channels.through(route=route, channel=channel) for route in routes)


def cost(ask: Callable[[], Any]) -> int:
    """Queries of the second look: the first fills what a process remembers (content types and the like)."""
    assert ask().status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert ask().status_code == 200
    return len(queries)


def compare(client: Any, urls: list[str], production: Environment) -> None:
    """Every URL's cost at ten targets and at a thousand."""
    fill(production, 10)
    few = {url: cost(lambda url=url: client.get(url)) for url in urls}  # type: ignore[misc]
    fill(production, 990)
    many = {url: cost(lambda url=url: client.get(url)) for url in urls}  # type: ignore[misc]
    assert few == many
    assert {url: queries for url, queries in many.items() if queries > BUDGET} == {}


def test_a_list_costs_the_same_at_ten_and_at_a_thousand_targets(production: Environment) -> None:
    client = api_client(token=make_token(make_user("viewer", production), Scope.READ))
    urls = [*(f"/api/v1/{path}" for path in LISTS), "/api/monitoring/realtime-stats"]
    compare(client, urls, production)


def test_an_admin_list_costs_the_same_too(administrator: User, production: Environment) -> None:
    client = Client()
    client.force_login(administrator)
    compare(client, [f"/admin/{path}/" for path in OWN_ADMINS], production)


def pages(resolver: Any, namespaces: tuple[str, ...] = ()) -> Iterator[str]:
    """The addresses of all pages that name no object."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver) and entry.namespace not in {"admin", "api", "monitoring"}:
            yield from pages(entry, (*namespaces, *([entry.namespace] if entry.namespace else [])))
        elif isinstance(entry, URLPattern) and entry.name and not entry.pattern.converters:
            yield reverse(":".join((*namespaces, entry.name)))


def test_a_page_costs_the_same_too(administrator: User, production: Environment) -> None:
    client = Client()
    client.force_login(administrator)
    urls = [url for url in pages(get_resolver()) if client.get(url).status_code == 200]
    assert {"/", "/services/", "/models/", "/targets/", "/incidents/", "/alerts/channels/"} <= set(urls)
    fragments = [f"/fragments/{panel.name}/" for panel in overview.PANELS]
    compare(client, [*urls, *fragments, "/search/?q=service"], production)


OWN_ADMINS = sorted(
    f"{model._meta.app_label}/{model._meta.model_name}"
    for model in admin.site._registry
    if model.__module__.startswith("apps.")
)


def test_every_kind_of_row_is_watched_here() -> None:
    assert {"catalog/provider", "catalog/aimodel", "catalog/service", "checks/check", "accounts/user"} <= set(
        OWN_ADMINS
    )
