"""One object of everything that has an address, in a given environment: what the access contracts ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from apps.accounts.models import ApiToken
from apps.alerts.models import Alert, Channel, Notification, Route, Rule, Silence
from apps.catalog.models import Environment, Price, Region
from apps.checks.heartbeats.services import open_ping_key
from apps.checks.models import CheckRun, Guard, Incident, SpendDay, StateChange
from apps.core import clock
from apps.core.ids import uuid7
from tests.checks.heartbeats.telling import hear, make_heartbeat, pings_of
from tests.checks.vendors.reading import make_followed
from tests.factories import make_check, make_model, make_provider, make_service, make_token, make_user

Arguments = dict[str, Any]


def check_arguments(environment: Environment) -> Arguments:
    """A check, and a run of it that is under way (the result's id in the URL)."""
    check = make_check(make_service(environment=environment).target)
    now = clock.now()
    run = CheckRun.objects.create(source_check=check, requested_at=now, expires_at=now + timedelta(minutes=1))
    return {"pk": check.pk, "result_id": run.pk}


def heartbeat_arguments(environment: Environment) -> Arguments:
    """A heartbeat, and a ping of it (its id in the URL)."""
    check = make_heartbeat(make_service(environment=environment).target)
    hear(check, "success")
    return {"pk": check.pk, "ping_id": pings_of(check)[0].id}


def make_incident(environment: Environment) -> Incident:
    target = make_service(environment=environment).target
    return Incident.objects.create(target=target, severity="outage", reason="timeout", opened_at=clock.now())


def make_state_change(environment: Environment) -> StateChange:
    """Of a model: it is told with its provider."""
    target = make_model(make_provider(environment=environment)).target
    return StateChange.objects.create(
        target=target, at=clock.now(), from_status="unknown", to_status="outage", reason="timeout"
    )


def make_channel(environment: Environment) -> Channel:
    return Channel.objects.create(
        name=f"Channel {uuid7()}",
        kind="webhook",
        config={"url": "http://127.0.0.1:9/hook", "secret": ""},
        environment=environment,
    )


def make_notification(environment: Environment) -> Notification:
    now = clock.now()
    return Notification.objects.create(
        channel=make_channel(environment),
        environment=environment,
        source=uuid7(),
        kind="incident.opened",
        payload={
            "type": "incident.opened",
            "timestamp": now.isoformat(),
            "data": {
                "incident": {"id": str(uuid7())},
                "target": {"id": str(uuid7()), "kind": "service", "name": "Shop", "environment": environment.slug},
                "change": {"from": "operational", "to": "outage", "reason": "timeout", "evidence": {}},
                "sequence": 1,
            },
        },
        not_before=now,
        created_at=now,
    )


def make_alert(environment: Environment) -> Alert:
    target = make_service(environment=environment).target
    return Alert.objects.create(
        fingerprint=f"{target.pk}:latency",
        cause="latency",
        environment=environment,
        target=target,
        severity="critical",
        labels={"environment": environment.slug, "kind": "service", "severity": "critical"},
        started_at=clock.now(),
    )


def make_rule(environment: Environment) -> Rule:
    return Rule.objects.create(name=f"Rule {uuid7()}", kind="latency", environment=environment, critical_level=2_000.0)


def make_silence(environment: Environment) -> Silence:
    now = clock.now()
    return Silence.objects.create(
        environment=environment,
        matchers=[{"label": "tag", "operator": "=", "value": "shop"}],
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        comment="Being moved",
    )


def make_guard(_environment: Environment) -> Guard:
    region = Region.objects.get(slug="local")
    return Guard.objects.create(
        region=region, name=f"Guard {uuid7()}", kind="tcp", config={"host": "127.0.0.1", "port": 9}
    )


def make_price(environment: Environment) -> Price:
    provider = make_provider(environment=environment)
    return Price.objects.create(
        provider=provider, model="model", input_per_million=1, output_per_million=2, valid_from=clock.now().date()
    )


def make_spend(environment: Environment) -> SpendDay:
    model = make_model(make_provider(environment=environment))
    return SpendDay.objects.create(
        day=clock.now().date(), target_id=model.pk, provider_id=model.provider_id, cost=1, looks=1
    )


def make_foreign_token(_environment: Environment) -> ApiToken:
    owner = make_user("admin")
    make_token(owner)
    return ApiToken.objects.get(user=owner)


# By the basename its view set is registered with.
OBJECTS: dict[str, Callable[[Environment], Arguments]] = {
    "token": lambda environment: {"pk": make_foreign_token(environment).pk},
    "environment": lambda environment: {"pk": environment.pk},
    "region": lambda _environment: {"pk": Region.objects.get(slug="local").pk},
    "provider": lambda environment: {"pk": make_provider(environment=environment).pk},
    "model": lambda environment: {"pk": make_model(make_provider(environment=environment)).pk},
    "service": lambda environment: {"pk": make_service(environment=environment).pk},
    "target": lambda environment: {"pk": make_service(environment=environment).pk},
    "check": check_arguments,
    "heartbeat": heartbeat_arguments,
    "ping-key": lambda environment: {"pk": open_ping_key(actor=None, environment=environment)[0].pk},
    "incident": lambda environment: {"pk": make_incident(environment).pk},
    "state-change": lambda environment: {"pk": make_state_change(environment).pk},
    "channel": lambda environment: {"pk": make_channel(environment).pk},
    "alert": lambda environment: {"pk": make_alert(environment).pk},
    "rule": lambda environment: {"pk": make_rule(environment).pk},
    "route": lambda _environment: {"pk": Route.objects.create(name="All").pk},
    "silence": lambda environment: {"pk": make_silence(environment).pk},
    "vendor-status": lambda environment: {"pk": make_followed(environment=environment).pk},
    "price": lambda environment: {"pk": make_price(environment).pk},
    # A provider has a budget from the start.
    "budget": lambda environment: {"pk": make_provider(environment=environment).pk},
    # What was spent has no object of its own: it is of a model.
    "spending": lambda environment: {"pk": make_spend(environment).target_id},
    "guard": lambda environment: {"pk": make_guard(environment).pk},
    "notification": lambda environment: {"pk": make_notification(environment).pk},
}
