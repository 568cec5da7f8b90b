"""Channels and notifications in the admin."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Channel, Notification
from apps.alerts.routing import route_all
from apps.catalog.models import Environment
from tests.alerts.world import SECRET, deliver, make_channel, make_incident, only
from tests.factories import make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

CHANNELS = "admin:alerts_channel_changelist"
NOTIFICATIONS = "admin:alerts_notification_changelist"


@pytest.fixture
def browser(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


def test_lists_and_pages_show_state_attempts_and_no_secret(browser: Client, receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hooks/sesame", answer(503, "busy just now")))
    make_incident()
    deliver()
    seen = browser.get(reverse(CHANNELS)).content.decode()
    assert "Pager" in seen and "http://127.0.0.1" in seen and "sesame" not in seen
    page = browser.get(reverse("admin:alerts_channel_change", args=[channel.pk]))
    assert page.status_code == 200
    assert SECRET not in page.content.decode() and "sealed:" not in page.content.decode()
    listed = browser.get(reverse(NOTIFICATIONS)).content.decode()
    assert "Waiting" in listed and "Shop" in listed
    detail = browser.get(reverse("admin:alerts_notification_change", args=[only().pk])).content.decode()
    assert ">busy just now<" in detail and "503" in detail


def test_the_lists_cost_the_same_at_any_length(browser: Client) -> None:
    counts = []
    for size in (1, 30):
        for number in range(size):
            make_channel("http://127.0.0.1:9/", name=f"Channel {size}-{number}")
            make_incident(f"Service {size}-{number}")
        route_all()
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse(CHANNELS))
            browser.get(reverse(NOTIFICATIONS))
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 25


def test_switching_off_goes_through_the_service(browser: Client) -> None:
    channel = make_channel("http://127.0.0.1:9/")
    browser.post(reverse("admin:alerts_channel_change", args=[channel.pk]), {})
    channel.refresh_from_db()
    assert (channel.enabled, channel.name) == (False, "Pager")
    assert "sealed:" in str(channel.config)


def test_deleting_is_soft(browser: Client) -> None:
    channel = make_channel("http://127.0.0.1:9/")
    browser.post(reverse("admin:alerts_channel_delete", args=[channel.pk]), {"post": "yes"})
    assert Channel.objects.get().deleted_at is not None


def test_what_is_finished_is_sent_again(browser: Client, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(400)))
    make_incident()
    make_incident("Search")
    deliver()
    Notification.objects.filter(incident__target__name="Search").update(state="pending")
    everything = [str(pk) for pk in Notification.objects.values_list("pk", flat=True)]
    told = browser.post(
        reverse(NOTIFICATIONS), {"action": "replay", "_selected_action": everything}, follow=True
    ).content.decode()
    assert "1 notification is sent again" in told
    assert "still on its way" in told
    assert set(Notification.objects.values_list("state", flat=True)) == {"pending"}


def test_notifications_are_neither_made_nor_changed_here(browser: Client, receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    deliver()
    assert browser.get(reverse("admin:alerts_notification_add")).status_code == 403
    assert browser.post(reverse("admin:alerts_notification_delete", args=[only().pk])).status_code == 403


def test_staff_read_their_environments_and_change_nothing(development: Environment, receiver: HttpServer) -> None:
    own = make_channel(receiver.url("/hook"), name="Dev channel", where="dev")
    make_channel(receiver.url("/hook"), name="Prod channel", where="prod")
    make_channel(receiver.url("/hook"), name="Channel of all")
    make_incident("Dev shop", where="dev")
    make_incident("Prod shop")
    deliver()
    client = Client()
    client.force_login(make_user(Role.VIEWER, development, is_staff=True))
    seen = client.get(reverse(CHANNELS)).content.decode() + client.get(reverse(NOTIFICATIONS)).content.decode()
    assert "Dev channel" in seen and "Channel of all" in seen and "Dev shop" in seen
    assert "Prod channel" not in seen and "Prod shop" not in seen
    assert client.post(reverse("admin:alerts_channel_change", args=[own.pk]), {}).status_code == 403
    mine = Notification.objects.get(channel=own)
    detail = client.get(reverse("admin:alerts_notification_change", args=[mine.pk])).content.decode()
    assert "Delivered" in detail and ">fine<" not in detail, "a receiver's answer is for administrators"
    client.post(reverse(NOTIFICATIONS), {"action": "replay", "_selected_action": [str(mine.pk)]})
    assert Notification.objects.get(pk=mine.pk).state == "sent"
