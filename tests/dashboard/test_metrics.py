"""`/metrics`: Prometheus text, and who may read it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from apps.catalog.models import Environment
from apps.checks.models import Clock, Incident, StateChange
from apps.checks.worker import HEARTBEAT_KEY
from apps.core import clock
from tests.factories import make_service, make_token, make_user
from tests.live.valkey import breakable_valkey
from tests.live.waiting import wait_until

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
def broker(settings: Any) -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_BROKER_URL) as client:
        yield client
        client.delete(HEARTBEAT_KEY, "portal:probe.far")


def scrape(client: Client) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def test_the_metrics_say_what_the_portal_knows_about_itself(
    transactional_db: None, client: Client, broker: Redis
) -> None:
    target = make_service("Shop").target
    make_service("Search")
    Incident.objects.create(target=target, severity="outage", reason="connect_refused", opened_at=clock.now())
    StateChange.objects.create(
        target=target,
        at=clock.now() - timedelta(seconds=30),
        from_status="unknown",
        to_status="outage",
        reason="connect_refused",
    )
    Clock.objects.update_or_create(pk=1, defaults={"ticked_at": clock.now(), "steady_since": clock.now()})
    broker.set(HEARTBEAT_KEY, f"{time.time() - 5:.3f}")
    broker.rpush("portal:probe.far", "batch", "batch")

    samples = scrape(client)

    assert value(samples, "portal_targets", kind="service", status="unknown") == 2
    assert value(samples, "portal_incidents_open") == 1
    assert value(samples, "portal_queue_length", queue="probe.far") == 2
    assert value(samples, "portal_queue_length", queue="portal") is not None
    assert value(samples, "portal_part_up", part="database") == 1
    assert value(samples, "portal_part_up", part="valkey") == 1
    assert value(samples, "portal_checks_due_lag_seconds") == 0
    assert 25 < (value(samples, "portal_outbox_age_seconds") or 0) < 60
    assert 4 < (value(samples, "portal_worker_heartbeat_age_seconds") or 0) < 30
    assert value(samples, "portal_beat_lag_seconds") is not None
    assert (value(samples, "process_resident_memory_bytes") or 0) > 1_000_000


def test_without_valkey_its_metrics_are_left_out(transactional_db: None, client: Client, settings: Any) -> None:
    with breakable_valkey() as valkey:
        settings.REDIS_BROKER_URL = valkey.url
        valkey.hang()

        samples = scrape(client)

        assert value(samples, "portal_part_up", part="valkey") == 0
        assert value(samples, "portal_part_up", part="database") == 1
        assert value(samples, "portal_queue_length", queue="portal") is None
        valkey.go_on()
        wait_until(lambda: value(scrape(client), "portal_part_up", part="valkey") == 1, "Valkey to be seen again")


def test_a_request_through_a_proxy_on_this_machine_needs_a_token(transactional_db: None, client: Client) -> None:
    assert client.get("/metrics", headers=FORWARDED).status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 401


def test_a_token_opens_the_metrics_if_its_owner_may_see_all_environments(
    transactional_db: None, client: Client, development: Environment
) -> None:
    everywhere = {**FORWARDED, "Authorization": f"Bearer {make_token(make_user('viewer'))}"}
    in_development = {**FORWARDED, "Authorization": f"Bearer {make_token(make_user('admin', development))}"}

    assert client.get("/metrics", headers=everywhere).status_code == 200
    assert client.get("/metrics", headers=in_development).status_code == 403
