"""The portal's own health: each part judged by itself, and an answer in time whatever is broken."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from redis import Redis

from apps.alerts.models import Channel, Notification
from apps.catalog.models import Target
from apps.checks.models import Clock, Incident, StateChange
from apps.checks.worker import HEARTBEAT_KEY
from apps.core import clock
from apps.core.ids import uuid7
from tests.factories import make_service
from tests.live.valkey import BreakableValkey, breakable_valkey
from tests.live.waiting import wait_until
from tests.live.web_process import web_process
from tests.servers.listening import Connection, ListeningServer

LATE = timedelta(minutes=10)


@pytest.fixture
def broker(settings: Any) -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_BROKER_URL) as client:
        yield client
        client.delete(HEARTBEAT_KEY)


@pytest.fixture
def everything_turns(transactional_db: None, broker: Redis) -> None:
    """A worker that was just heard, and a beat that just ticked."""
    broker.set(HEARTBEAT_KEY, f"{time.time():.3f}")
    Clock.objects.update_or_create(pk=1, defaults={"ticked_at": clock.now(), "steady_since": clock.now()})


@pytest.fixture
def target(everything_turns: None) -> Target:
    return make_service("Shop").target


def ready(client: Client) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = client.get("/readyz")
    body = answer.json()
    assert body["ready"] == (answer.status_code == 200) == all(part["ok"] for part in body["parts"].values())
    return answer.status_code, body["parts"]


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})


def test_a_portal_in_which_everything_turns_is_ready(everything_turns: None, client: Client) -> None:
    status, parts = ready(client)

    assert status == 200
    assert list(parts) == ["database", "valkey", "worker", "beat", "probing", "outbox", "notifications"]
    assert all(set(part) == {"ok", "detail", "age_seconds"} and part["detail"] for part in parts.values())
    assert parts["worker"]["age_seconds"] < 10


def test_a_worker_that_fell_silent_is_not_ready(everything_turns: None, broker: Redis, client: Client) -> None:
    broker.set(HEARTBEAT_KEY, f"{time.time() - 60:.3f}")

    status, parts = ready(client)

    assert status == 503
    assert not parts["worker"]["ok"]
    assert 59 < parts["worker"]["age_seconds"] < 90


def test_a_worker_that_was_never_heard_is_not_ready(everything_turns: None, broker: Redis, client: Client) -> None:
    broker.delete(HEARTBEAT_KEY)

    status, parts = ready(client)

    assert (status, parts["worker"]["ok"], parts["worker"]["age_seconds"]) == (503, False, None)


def test_a_beat_that_stopped_ticking_is_not_ready(everything_turns: None, client: Client) -> None:
    Clock.objects.update(ticked_at=clock.now() - LATE)

    status, parts = ready(client)

    assert (status, parts["beat"]["ok"]) == (503, False)
    assert parts["beat"]["age_seconds"] > 500


@pytest.mark.parametrize(("age", "fine"), [(timedelta(seconds=2), True), (LATE, False)])
def test_a_change_that_waits_to_be_routed_is_fine_for_a_moment_only(
    target: Target, client: Client, age: timedelta, fine: bool
) -> None:
    StateChange.objects.create(
        target=target, at=clock.now() - age, from_status="unknown", to_status="outage", reason="connect_refused"
    )

    _, parts = ready(client)

    assert parts["outbox"]["ok"] == fine
    assert abs(parts["outbox"]["age_seconds"] - age.total_seconds()) < 5


def test_a_change_that_was_routed_has_no_age(target: Target, client: Client) -> None:
    StateChange.objects.create(
        target=target,
        at=clock.now() - LATE,
        from_status="unknown",
        to_status="outage",
        reason="connect_refused",
        routed_at=clock.now(),
    )

    assert ready(client)[1]["outbox"] == {"ok": True, "detail": "Empty.", "age_seconds": None}


class Deliveries:
    """Notifications of one incident to one channel."""

    def __init__(self, target: Target) -> None:
        self.channel = Channel.objects.create(name="Hook", kind="webhook", config={"url": "http://127.0.0.1:9/"})
        self.incident = Incident.objects.create(
            target=target, severity="outage", reason="connect_refused", opened_at=clock.now()
        )

    def add(self, sequence: int, state: str, not_before: timedelta) -> Notification:
        return Notification.objects.create(
            channel=self.channel,
            source=uuid7(),
            kind="incident.updated",
            incident=self.incident,
            sequence=sequence,
            state=state,
            not_before=clock.now() + not_before,
            created_at=clock.now() - LATE,
        )


@pytest.fixture
def deliveries(target: Target) -> Deliveries:
    return Deliveries(target)


def test_a_notification_that_is_due_and_not_sent_is_not_ready(deliveries: Deliveries, client: Client) -> None:
    deliveries.add(1, "pending", -LATE)

    status, parts = ready(client)

    assert (status, parts["notifications"]["ok"]) == (503, False)
    assert parts["notifications"]["age_seconds"] > 500


def test_a_receiver_that_is_down_does_not_make_the_portal_unready(deliveries: Deliveries, client: Client) -> None:
    deliveries.add(1, "pending", LATE)  # tried, and to be tried again later
    deliveries.add(2, "pending", -LATE)  # waits for the first

    assert ready(client)[0] == 200

    Notification.objects.update(not_before=clock.now() - LATE)
    Channel.objects.update(open_until=clock.now() + LATE)  # its breaker is open

    assert ready(client)[0] == 200


@pytest.fixture
def breakable_broker(everything_turns: None, settings: Any) -> Iterator[BreakableValkey]:
    with breakable_valkey() as valkey:
        settings.REDIS_BROKER_URL = valkey.url
        with Redis.from_url(valkey.url) as client:
            client.set(HEARTBEAT_KEY, f"{time.time():.3f}")
        yield valkey


@pytest.mark.parametrize("broken_how", ["stop", "hang"])
def test_without_valkey_the_answer_comes_in_time_and_names_it(
    breakable_broker: BreakableValkey, client: Client, broken_how: str
) -> None:
    getattr(breakable_broker, broken_how)()
    started = time.monotonic()

    status, parts = ready(client)

    assert time.monotonic() - started < 2
    assert (status, parts["valkey"]["ok"], parts["worker"]["ok"]) == (503, False, False)
    assert parts["database"]["ok"]
    if broken_how == "hang":
        breakable_broker.go_on()
    else:
        breakable_broker.start()
    wait_until(lambda: ready(client)[1]["valkey"]["ok"], "Valkey to be seen again")


class SilentServer(ListeningServer):
    """Accepts, and never says a word."""

    def serve(self, connection: Connection) -> None:
        connection.hold()


def test_with_a_database_that_hangs_the_answer_comes_in_time_and_names_it(transactional_db: None) -> None:
    name = str(connection.settings_dict["NAME"])
    with SilentServer() as silent:
        changes = {"DATABASE_URL": f"postgres://portal:x@127.0.0.1:{silent.port}/portal"}
        with web_process(name, changes) as web:
            started = time.monotonic()
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{web.url}/readyz", timeout=10)

            assert time.monotonic() - started < 2
            parts = json.loads(refused.value.read())["parts"]
            assert (refused.value.code, parts["database"]["ok"], parts["valkey"]["ok"]) == (503, False, True)
            assert web.status() == 200
