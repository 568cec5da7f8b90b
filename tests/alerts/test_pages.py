"""The pages of channels and notifications."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from standardwebhooks.webhooks import Webhook

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Channel, Notification
from apps.alerts.routing import route_all
from apps.catalog.models import Environment
from tests.alerts.world import SECRET, deliver, make_channel, make_incident, only
from tests.factories import make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

CHANNELS = "/alerts/channels/"
NOTIFICATIONS = "/alerts/notifications/"
HOOK = "http://127.0.0.1:9/hooks/sesame"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    found: str = response.content.decode()
    return found


def test_the_first_visit_leads_to_the_first_channel(administrator: User, viewer: User) -> None:
    page = text(browser(administrator).get(CHANNELS))
    assert "Nobody is told yet." in page and "/alerts/channels/new/" in page
    assert "Ask an administrator" in text(browser(viewer).get(CHANNELS))
    assert "Add a channel first" in text(browser(administrator).get(NOTIFICATIONS))


def test_a_channel_is_added_and_its_secret_shown_once(administrator: User, receiver: HttpServer) -> None:
    client = browser(administrator)
    form = text(client.get(f"{CHANNELS}new/"))
    assert 'name="config.url"' in form and 'name="config.secret"' in form
    values = {"name": "Pager", "config.url": receiver.url("/hook"), "config.secret": "", "enabled": "on"}
    made = client.post(f"{CHANNELS}new/", values)
    assert made.status_code == 200
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{20,}", text(made))
    assert secret is not None
    assert "no-store" in made.headers["Cache-Control"]
    channel = Channel.objects.get()
    for later in (CHANNELS, channel.get_absolute_url(), f"{channel.get_absolute_url()}edit/"):
        assert secret[0] not in text(client.get(later))
    make_incident()
    deliver()
    (request,) = receiver.received
    assert Webhook(secret[0]).verify(request.body, dict(request.headers))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"config.url": "ftp://example.org/"}, "Enter a URL that starts with"),
        ({"config.url": "http://10.0.0.1/"}, "Channels reach public addresses only"),
        ({"config.url": ""}, "This field is required"),
        ({"config.secret": "open sesame"}, "24 to 64 bytes"),
        ({"name": ""}, "This field is required"),
        ({"name": "Taken"}, "A channel with this name exists"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    administrator: User, values: dict[str, str], sentence: str
) -> None:
    make_channel(HOOK, name="Taken")
    typed = {"name": "Typed name", "config.url": HOOK, "enabled": "on", **values}
    answered = browser(administrator).post(f"{CHANNELS}new/", typed)
    assert answered.status_code == 400
    assert sentence in text(answered)
    assert typed["name"] in text(answered)
    assert "open sesame" not in text(answered)
    assert Channel.objects.count() == 1


def test_editing_keeps_the_secret_unless_a_new_one_is_asked_for(administrator: User) -> None:
    channel = make_channel(HOOK)
    client, url = browser(administrator), f"{channel.get_absolute_url()}edit/"
    page = text(client.get(url))
    assert HOOK in page and SECRET not in page
    values = {"name": "Pager 2", "config.url": HOOK, "enabled": "on"}
    assert client.post(url, values).status_code == 302
    stored = Channel.objects.get()
    assert stored.name == "Pager 2"
    renewed = client.post(url, {**values, "config.secret-clear": "on"})
    assert "whsec_" in text(renewed) and SECRET not in text(renewed)
    moved = client.post(url, {**values, "config.url": "http://127.0.0.2:9/"})
    assert "Enter this secret again" in text(moved)


def test_a_test_asks_again_until_it_shows_how_it_went(administrator: User, receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(403, "secret words")))
    client = browser(administrator)
    shown = text(client.post(f"{channel.get_absolute_url()}test/", HTTP_HX_REQUEST="true"))
    assert "on its way" in shown
    asks = re.search(r'hx-get="([^"]+)" hx-trigger="load', shown)
    assert asks is not None and str(only().pk) in asks[1]
    deliver()
    outcome = text(client.get(asks[1]))
    assert "hx-get" not in outcome
    assert "was not delivered" in outcome and "403" in outcome
    assert "secret words" not in outcome
    plain = client.post(f"{channel.get_absolute_url()}test/")
    assert plain.status_code == 302 and plain.headers["Location"].startswith(NOTIFICATIONS)


def test_a_channel_that_is_off_says_so_instead_of_testing(administrator: User) -> None:
    channel = make_channel(HOOK)
    client = browser(administrator)
    client.post(f"{channel.get_absolute_url()}switch/", {"enabled": "no"})
    assert not Channel.objects.get().enabled
    refused = text(client.post(f"{channel.get_absolute_url()}test/", HTTP_HX_REQUEST="true"))
    assert "Switch it on to send a test" in refused
    client.post(f"{channel.get_absolute_url()}switch/", {"enabled": "yes"})
    assert Channel.objects.get().enabled


def test_deleting_takes_it_out_of_every_page(administrator: User) -> None:
    channel = make_channel(HOOK)
    client = browser(administrator)
    assert client.post(f"{channel.get_absolute_url()}delete/").status_code == 302
    assert client.get(channel.get_absolute_url()).status_code == 404
    assert "Nobody is told yet." in text(client.get(CHANNELS))


def test_a_delivery_shows_every_attempt_and_can_be_sent_again(operator: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(404, "private words")))
    make_incident()
    deliver()
    client = browser(operator)
    page = text(client.get(only().get_absolute_url()))
    assert "There is no receiver at this address" in page and "404" in page and "Given up" in page
    assert "Send again" in page and "private words" not in page and "sesame" not in page
    receiver.behave("/hook", answer(200))
    assert client.post(f"{only().get_absolute_url()}replay/").status_code == 302
    assert "Send again" not in text(client.get(only().get_absolute_url()))
    deliver()
    fragment = text(client.get(f"{only().get_absolute_url()}fragments/delivery/"))
    assert "Delivered" in fragment and fragment.count('id="attempt-') == 2


def test_the_list_keeps_its_filters_in_the_url(viewer: User, receiver: HttpServer) -> None:
    good = make_channel(receiver.url("/hook"), name="Good")
    make_channel(receiver.behave("/bad", answer(400)), name="Bad")
    incident = make_incident("Shop")
    make_incident("Search")
    deliver()
    client = browser(viewer)

    def rows(query: str) -> int:
        return text(client.get(f"{NOTIFICATIONS}?{query}")).count("data-row")

    assert rows("") == 4
    assert rows("state=dead") == 2
    assert rows(f"channel={good.pk}") == 2
    assert rows(f"incident={incident.pk}&state=sent") == 1
    assert rows("environment=dev") == 0
    assert rows("environment=all") == 4
    assert rows("state=nonsense&channel=x&cursor=%00&incident='") == 4
    assert "Nothing matches these filters" in text(client.get(f"{NOTIFICATIONS}?kind=incident.resolved"))
    chips = text(client.get(f"{NOTIFICATIONS}?channel={good.pk}&incident={incident.pk}"))
    assert chips.count('class="chip"') == 2
    fragment = client.get(f"{NOTIFICATIONS}fragments/notifications/?state=dead")
    assert text(fragment).count("data-row") == 2


def test_pages_of_the_list_cost_the_same_at_any_length(viewer: User) -> None:
    client = browser(viewer)
    counts = []
    for size in (2, 60):
        for number in range(size):
            make_channel(HOOK, name=f"Channel {size}-{number}")
        make_incident(f"Service {size}")
        route_all()
        with CaptureQueriesContext(connection) as queries:
            client.get(CHANNELS)
            client.get(NOTIFICATIONS)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40
    page = text(client.get(NOTIFICATIONS))
    assert page.count("data-row") == 50
    older = re.search(r'rel="next" href="(\?cursor=[^"]+)"', page)
    assert older is not None
    assert text(client.get(f"{NOTIFICATIONS}{older[1]}")).count("data-row") == 14


def test_readers_neither_change_anything_nor_see_the_path(viewer: User, operator: User) -> None:
    channel = make_channel(HOOK)
    for reader in (viewer, operator):
        client = browser(reader)
        page = text(client.get(channel.get_absolute_url()))
        assert "http://127.0.0.1:9" in page and "sesame" not in page and "Send test" not in page
        assert client.get(f"{CHANNELS}new/").status_code == 403
        for action in ("edit", "test", "switch", "delete"):
            assert client.post(f"{channel.get_absolute_url()}{action}/").status_code == 403
    assert browser(viewer).post(f"{NOTIFICATIONS}{channel.pk}/replay/").status_code == 404


def test_outside_ones_environment_nothing_exists(development: Environment) -> None:
    channel = make_channel(HOOK, where="prod")
    make_incident()
    route_all()
    client = browser(make_user(Role.ADMIN, development))
    assert client.get(channel.get_absolute_url()).status_code == 404
    for action in ("edit", "test", "switch", "delete"):
        assert client.post(f"{channel.get_absolute_url()}{action}/").status_code == 404
    for url in (only().get_absolute_url(), f"{only().get_absolute_url()}fragments/delivery/"):
        assert client.get(url).status_code == 404
    assert client.post(f"{only().get_absolute_url()}replay/").status_code == 404
    assert Notification.objects.get().state == "pending"
    made = client.post(f"{CHANNELS}new/", {"name": "A", "config.url": HOOK, "enabled": "on"})
    assert made.status_code == 400, "an environment must be chosen"


def test_strangers_are_led_to_the_login(db: None) -> None:
    for url in (CHANNELS, f"{CHANNELS}new/", NOTIFICATIONS):
        assert Client().get(url).status_code == 302


def test_what_a_client_sent_is_shown_as_text(administrator: User) -> None:
    make_channel("http://127.0.0.1:9/", name="<script>alert(1)</script>")
    make_incident("<img src=x onerror=alert(1)>")
    route_all()
    client = browser(administrator)
    for url in (CHANNELS, NOTIFICATIONS, only().get_absolute_url(), Channel.objects.get().get_absolute_url()):
        page = text(client.get(url))
        assert "<script>alert" not in page and "<img src=x" not in page
