"""Notifications over REST: lists, attempts, replay."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Channel, Notification
from apps.alerts.routing import route_all
from apps.alerts.services import send_test
from apps.catalog.models import Environment
from tests.alerts.world import deliver, make_channel, make_due, make_incident, only
from tests.factories import api_client, make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

URL = "/api/v1/notifications/"


def test_every_attempt_is_told_with_its_reason(viewer: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(503, "private words")))
    incident = make_incident()
    deliver()
    receiver.behave("/hook", answer(200))
    make_due()
    deliver()
    answered = api_client(viewer).get(f"{URL}{only().pk}/")
    told: dict[str, Any] = answered.json()
    assert (told["state"], told["attempts"], told["incident"]) == ("sent", 2, str(incident.pk))
    first, second = told["attempt_list"]
    assert (first["reason"], first["status_code"], first["succeeded"]) == ("receiver_error", 503, False)
    assert (second["reason"], second["status_code"], second["succeeded"]) == ("delivered", 200, True)
    assert first["duration_ms"] > 0 and first["at"]
    assert told["payload"]["data"]["sequence"] == 1
    assert "private words" not in answered.content.decode()


def test_the_list_narrows_by_state_channel_incident_and_kind(viewer: User, receiver: HttpServer) -> None:
    good = make_channel(receiver.url("/hook"), name="Good")
    make_channel(receiver.behave("/bad", answer(400)), name="Bad")
    incident = make_incident()
    make_incident("Search")
    deliver()
    client = api_client(viewer)

    def states(query: str) -> list[str]:
        found = client.get(f"{URL}?{query}")
        assert found.status_code == 200, found.json()
        return sorted(row["state"] for row in found.json()["results"])

    assert states("") == ["dead", "dead", "sent", "sent"]
    assert states("state=dead") == ["dead", "dead"]
    assert states(f"channel={good.pk}") == ["sent", "sent"]
    assert states(f"incident={incident.pk}") == ["dead", "sent"]
    assert states("kind=incident.resolved") == []
    assert states("environment=dev") == []
    for wrong in ("state=lost", "channel=x", "kind=other", "colour=red"):
        refused = client.get(f"{URL}?{wrong}")
        assert (refused.status_code, list(refused.json())) == (400, [wrong.partition("=")[0]])


def test_pages_hold_the_newest_first_and_cost_the_same_at_any_size(viewer: User) -> None:
    make_channel("http://127.0.0.1:9/")
    client = api_client(viewer)
    client.get(URL)  # the first use of a token is written down
    counts = []
    for size in (1, 40):
        for number in range(size):
            make_incident(f"Service {size}-{number}")
        route_all()
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"{URL}?limit=20").json()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10
    assert len(page["results"]) == 20
    newest = [row["created_at"] for row in page["results"]]
    assert newest == sorted(newest, reverse=True)
    rest = client.get(page["next"]).json()
    assert not {row["id"] for row in rest["results"]} & {row["id"] for row in page["results"]}


def test_a_finished_delivery_is_sent_again_with_the_same_id(operator: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(400)))
    make_incident()
    deliver()
    client = api_client(operator)
    started = client.post(f"{URL}{only().pk}/replay/")
    assert started.status_code == 202
    assert started.json()["id"] == str(only().pk)
    waiting = client.post(f"{URL}{only().pk}/replay/")
    assert waiting.status_code == 409
    assert "still on its way" in waiting.json()["detail"]
    receiver.behave("/hook", answer(200))
    deliver()
    assert client.get(started.json()["url"]).json()["state"] == "sent"
    assert client.post(f"{URL}{only().pk}/replay/").status_code == 202, "what was sent may be sent again"
    assert AuditEntry.objects.filter(action="replay", actor=operator).count() == 2


def test_nothing_is_replayed_through_a_channel_that_is_off(operator: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(410)))
    make_incident()
    deliver()
    refused = api_client(operator).post(f"{URL}{only().pk}/replay/")
    assert refused.status_code == 409
    assert "Switch it on" in refused.json()["detail"]


def test_a_viewer_replays_nothing_and_a_stranger_sees_nothing(
    viewer: User, development: Environment, receiver: HttpServer
) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    deliver()
    assert api_client(viewer).post(f"{URL}{only().pk}/replay/").status_code == 403
    charlie = api_client(make_user(Role.ADMIN, development))
    assert charlie.get(URL).json()["results"] == []
    for refused in (charlie.get(f"{URL}{only().pk}/"), charlie.post(f"{URL}{only().pk}/replay/")):
        assert refused.status_code == 404
    assert only().state == "sent"


def test_a_test_of_a_channel_for_all_is_seen_by_those_who_see_all(
    viewer: User, administrator: User, development: Environment
) -> None:
    send_test(actor=administrator, channel=make_channel("http://127.0.0.1:9/"))
    assert len(api_client(viewer).get(URL).json()["results"]) == 1
    assert api_client(make_user(Role.ADMIN, development)).get(URL).json()["results"] == []


def test_the_notifications_of_a_deleted_channel_stay_readable(viewer: User, receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    deliver()
    Channel.objects.update(deleted_at="2026-01-01T00:00Z")
    assert api_client(viewer).get(f"{URL}{Notification.objects.get().pk}/").json()["channel"]["name"] == "Pager"
