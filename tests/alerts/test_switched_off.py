"""A channel that is switched off: what waits for it waits on, and counts as told once it has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.claims import anything_to_send, bury_hopeless
from apps.alerts.models import Alert, Channel, Notification
from apps.alerts.pages.alert_lists import told_of
from apps.alerts.routing import route_all
from apps.alerts.services import delete_channel, send_test, update_channel
from apps.core import clock
from tests.alerts.filling import browser, text
from tests.alerts.world import deliver, happen, make_channel, make_incident
from tests.factories import api_client
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver() -> Iterator[HttpServer]:
    with HttpServer() as server:
        server.behave("/hook", answer(200))
        yield server


def switch(channel: Channel, *, on: bool) -> None:
    update_channel(actor=None, channel=channel, enabled=on)


def story(person: User, alert: Alert) -> dict[str, Any]:
    answered = api_client(person).get(f"/api/v1/alerts/{alert.pk}/why/").json()
    [one] = answered["channels"]
    return {"told": one["told"], "sentence": one["sentence"], "whole": answered["sentence"], "any": answered["told"]}


def test_what_waits_is_not_told_and_arrives_when_the_channel_is_on_again(receiver: HttpServer, viewer: User) -> None:
    channel = make_channel(receiver.url("/hook"))
    incident = make_incident()
    route_all()
    switch(channel, on=False)
    deliver()
    assert receiver.received == []
    assert not anything_to_send() and bury_hopeless() == 0, "nothing is to be done meanwhile"
    alert = Alert.objects.get()
    waiting = "A message waits, because the channel is switched off. It goes out when the channel is on again."
    assert story(viewer, alert) == {
        "told": False,
        "sentence": waiting,
        "whole": "Nobody was told yet: a message was made and has not arrived.",
        "any": False,
    }
    told = told_of(viewer, [alert.pk])[alert.pk]
    assert (told.channels, told.hold) == (0, waiting)
    client = browser(viewer)
    page = text(client.get(alert.get_absolute_url()))
    assert waiting in page and "It was told" not in page
    assert "1 channel" not in text(client.get("/alerts/"))
    assert "The channel was switched off" in text(client.get("/alerts/notifications/"))
    happen(incident, "resolved", to="operational")
    route_all()
    switch(channel, on=True)
    deliver()
    assert [row.headers["webhook-id"] for row in receiver.received] == [
        str(pk) for pk in Notification.objects.order_by("sequence").values_list("pk", flat=True)
    ]
    assert list(Notification.objects.order_by("sequence").values_list("kind", "state")) == [
        ("incident.opened", "sent"),
        ("incident.resolved", "sent"),
    ]
    assert story(viewer, alert)["told"] is True


def test_a_test_is_not_kept_for_later(receiver: HttpServer, admin_user: User) -> None:
    channel = make_channel(receiver.url("/hook"))
    send_test(actor=admin_user, channel=channel)
    switch(channel, on=False)
    deliver()
    assert list(Notification.objects.values_list("state", "reason")) == [("dropped", "channel_disabled")]


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        ("dead", "unauthorized", "A message was made and could not be delivered"),
        ("dropped", "channel_deleted", "A message was made and then dropped"),
        ("sending", "", "A message is on its way."),
    ],
)
def test_nobody_reads_that_something_was_told_when_nothing_arrived(
    receiver: HttpServer, viewer: User, state: str, reason: str, sentence: str
) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    route_all()
    Notification.objects.update(state=state, reason=reason)
    alert = Alert.objects.get()
    found = story(viewer, alert)
    assert not found["told"] and found["sentence"].startswith(sentence)
    page = text(browser(viewer).get(alert.get_absolute_url()))
    assert "It was told" not in page and sentence in page


def test_what_waited_for_a_channel_that_is_deleted_is_dropped(receiver: HttpServer) -> None:
    channel = make_channel(receiver.url("/hook"))
    make_incident()
    route_all()
    switch(channel, on=False)
    delete_channel(actor=None, channel=channel)
    deliver()
    assert list(Notification.objects.values_list("state", "reason")) == [("dropped", "channel_deleted")]


def test_a_message_waits_for_thirty_days_and_is_then_dropped_in_plain_sight(receiver: HttpServer) -> None:
    channel = make_channel(receiver.url("/hook"))
    make_incident()
    route_all()
    switch(channel, on=False)
    for days, left in ((29, "pending"), (31, "dropped")):
        Notification.objects.update(created_at=clock.now() - timedelta(days=days))
        bury_hopeless()
        assert Notification.objects.get().state == left
    assert Notification.objects.get().reason == "channel_disabled"
    switch(channel, on=True)
    deliver()
    assert receiver.received == [], "nobody is woken for what was a month ago"
