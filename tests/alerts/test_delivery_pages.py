"""What the pages and the API say of deliveries: attempts with latency and next try, what they told of, all again."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.alerts.models import Alert, Channel, Notification, NotificationAttempt
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from tests.alerts.register.opening import channel_for_people, open_alert
from tests.alerts.test_replaying import dead
from tests.alerts.world import deliver, make_channel, make_incident, only
from tests.factories import api_client, make_service
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

URL = "/alerts/notifications/"
API = "/api/v1/notifications/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    """What a person reads, one space between words."""
    page = response.content.decode()
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def told(channel: Channel, *alerts: Alert, **fields: Any) -> Notification:
    made = dead(channel, alerts[0].environment if alerts else None, **fields)
    made.alerts.set(alerts)
    return made


def test_a_row_says_how_the_last_attempt_went_and_when_the_next_is(viewer: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(503)))
    make_incident()
    deliver()
    page = text(browser(viewer).get(URL))
    assert "Waiting to try again" in page and "503" in page and "Next try" in page
    assert re.search(r"503 [\d.,]+ (ms|s) 1 ", page), "status, latency, attempts"
    [row] = api_client(viewer).get(API).json()["results"]
    assert row["last_attempt"]["status_code"] == 503 and row["last_attempt"]["duration_ms"] > 0
    assert row["last_attempt"]["reason"] == "receiver_error" and row["last_attempt"]["at"]
    assert row["not_before"] > row["last_attempt"]["at"]
    detail = text(browser(viewer).get(only().get_absolute_url()))
    assert "Next try" in detail and "1 of 15" in detail


def test_a_row_of_what_was_never_tried_has_no_attempt(viewer: User) -> None:
    dead(channel_for_people())
    [row] = api_client(viewer).get(API).json()["results"]
    assert row["last_attempt"] is None and row["alert_count"] == 0


def test_a_message_of_several_alerts_shows_which(viewer: User) -> None:
    team = channel_for_people()
    alerts = [open_alert(make_service(name).target) for name in ("Shop", "Search", "Mail")]
    single, several = told(team, alerts[0]), told(team, *alerts)
    client = browser(viewer)
    page = text(client.get(URL))
    assert "Shop and 2 others" in page
    shown = client.get(several.get_absolute_url()).content.decode()
    for alert in alerts:
        assert f'href="{alert.get_absolute_url()}"' in shown
    assert f'href="{alerts[0].get_absolute_url()}"' in client.get(single.get_absolute_url()).content.decode()
    detail = api_client(viewer).get(f"{API}{several.pk}/").json()
    assert detail["alert_count"] == 3
    assert [(one["target"]["name"], one["cause"]) for one in detail["alerts"]] == [
        ("Shop", "latency"), ("Search", "latency"), ("Mail", "latency")
    ]  # fmt: skip


def test_an_alert_of_the_portal_itself_is_named_too(viewer: User) -> None:
    alert = open_alert(cause="lateness")
    told(channel_for_people(), alert)
    assert "The portal itself" in text(browser(viewer).get(URL))


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 5),
        ("reason=unauthorized", 1),
        ("reason=nonsense", 5),
        ("within=1h", 4),
        ("within=24h", 5),
        ("within=2h", 5),
        ("kind=alert.reminder", 1),
        ("state=dead", 5),
        ("alert=ALERT", 1),
        ("alert=ALERT&state=sent", 0),
        ("environment=dev", 1),
    ],
)
def test_the_list_narrows_by_everything_it_offers(
    query: str, number: int, viewer: User, production: Environment, development: Environment
) -> None:
    team = channel_for_people()
    alert = open_alert(make_service("Shop").target)
    told(team, alert)
    dead(team, production, reason="unauthorized")
    dead(team, production, kind="alert.reminder")
    dead(team, production, ago=7_200)
    dead(team, development)
    page = browser(viewer).get(f"{URL}?{query.replace('ALERT', str(alert.pk))}").content.decode()
    assert page.count("data-row") == number


def test_the_api_narrows_by_reason_alert_and_time(viewer: User) -> None:
    team = channel_for_people()
    alert = open_alert(make_service("Shop").target)
    told(team, alert)
    dead(team, reason="unauthorized")
    dead(team, ago=7_200)
    client, hour_ago = api_client(viewer), (clock.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    for query, number in (
        ("reason=unauthorized", 1),
        (f"alert={alert.pk}", 1),
        (f"created_after={hour_ago}", 2),
        (f"created_before={hour_ago}", 1),
    ):
        assert len(client.get(f"{API}?{query}").json()["results"]) == number, query
    for wrong in ("reason=bad_luck", "alert=x", "created_after=yesterday"):
        refused = client.get(f"{API}?{wrong}")
        assert (refused.status_code, list(refused.json())) == (400, [wrong.partition("=")[0]])


# --- All again ------------------------------------------------------------------------------------------------


def test_the_button_sends_again_what_the_list_shows(operator: User) -> None:
    pager, mail = channel_for_people("Pager"), channel_for_people("Mail")
    first, second = dead(pager), dead(pager)
    other = dead(mail)
    client = browser(operator)
    page = client.get(f"{URL}?channel={pager.pk}").content.decode()
    assert "Send 2 again" in page and "2 messages that were given up" in page
    action = re.search(r'action="([^"]*/replay/[^"]*)"', page)
    assert action is not None
    done = client.post(html.unescape(action[1]), follow=True)
    assert "2 messages are being sent again." in text(done)
    assert urlsplit(done.redirect_chain[0][0]).query == f"channel={pager.pk}"
    states = dict(Notification.objects.values_list("pk", "state"))
    assert (states[first.pk], states[second.pk], states[other.pk]) == ("pending", "pending", "dead")
    assert "Nothing that was given up is left" in text(client.post(html.unescape(action[1]), follow=True))


def test_nobody_is_offered_what_they_may_not_do(viewer: User, development: Environment, operator: User) -> None:
    dead(channel_for_people())
    assert "replay-dead" not in browser(viewer).get(URL).content.decode()
    assert browser(viewer).post(f"{URL}replay/").status_code == 403
    assert browser(operator).get(f"{URL}replay/").status_code == 405
    assert Client().post(f"{URL}replay/").status_code == 302
    assert only().state == "dead"


def test_nothing_is_offered_while_nothing_was_given_up(operator: User) -> None:
    dead(channel_for_people(), state="sent")
    assert "replay-dead" not in browser(operator).get(URL).content.decode()


# --- What it costs ----------------------------------------------------------------------------------------------


def fill(number: int) -> None:
    """Messages of 40 alerts each, with three attempts each."""
    team, at = channel_for_people(f"Team {uuid7()}"), clock.now()
    alerts = Alert.objects.bulk_create(
        Alert(fingerprint=str(uuid7()), cause="latency", severity="critical", started_at=at) for _ in range(40)
    )
    rows = Notification.objects.bulk_create(
        Notification(
            channel=team, source=uuid7(), kind="alert.firing", state="dead", not_before=at, created_at=at,
            finished_at=at, payload={"type": "alert.firing", "timestamp": at.isoformat(), "data": {}},
        )
        for _ in range(number)
    )  # fmt: skip
    NotificationAttempt.objects.bulk_create(
        NotificationAttempt(notification=row, number=count, at=at, succeeded=False, reason="timeout")
        for row in rows
        for count in (1, 2, 3)
    )
    through = Notification.alerts.through
    through.objects.bulk_create(
        [through(notification_id=row.pk, alert_id=alert.pk) for row in rows for alert in alerts], batch_size=5_000
    )


def test_lists_and_pages_cost_the_same_at_ten_and_at_a_thousand_deliveries(operator: User) -> None:
    client, api = browser(operator), api_client(operator)
    costs = []
    for number in (10, 990):
        fill(number)
        newest = Notification.objects.order_by("-created_at").first()
        assert newest is not None
        urls = [URL, f"{URL}fragments/notifications/", newest.get_absolute_url()]
        calls = [f"{API}?limit=500", f"{API}{newest.pk}/"]
        api.get(API)
        counted = []
        for who, url in [*((client, url) for url in urls), *((api, url) for url in calls)]:
            with CaptureQueriesContext(connection) as queries:
                assert who.get(url).status_code == 200
            counted.append(len(queries))
        costs.append(counted)
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 20
