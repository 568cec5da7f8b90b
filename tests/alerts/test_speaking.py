"""How a channel speaks: its language, time zone, quiet hours and wording, over REST and in its form."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.alerts.models import Channel
from tests.alerts.world import deliver, make_channel, make_incident
from tests.factories import api_client
from tests.servers.chat import ChatServer, discord, slack

pytestmark = pytest.mark.django_db

API = "/api/v1/channels/"
NEW = "/alerts/channels/new/?kind=slack"
HOOK = "http://127.0.0.1:9/hooks/sesame"
QUIET = [{"days": [0, 4], "start": "22:00", "end": "07:00"}]
WORDING = {"title": "{{ target }}!", "body": "{{#firing}}\n{{ reason }}\n{{/firing}}"}


def body(**changes: Any) -> dict[str, Any]:
    return {"name": "Chat", "kind": "slack", "config": {"url": HOOK}, **changes}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def read(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_over_rest_it_is_stored_as_it_was_given(administrator: User) -> None:
    client = api_client(administrator)
    spoken = {"language": "ko", "time_zone": "Asia/Seoul", "quiet_hours": QUIET, "wording": WORDING}
    made = client.post(API, body(**spoken))
    assert made.status_code == 201, made.json()
    assert {name: made.json()[name] for name in spoken} == spoken
    plain = client.post(API, body(name="Plain")).json()
    assert (plain["language"], plain["time_zone"]) == ("en", "UTC")
    assert (plain["quiet_hours"], plain["wording"]) == ([], {})
    changed = client.patch(f"{API}{plain['id']}/", {"time_zone": "Europe/Berlin", "wording": {"body": " "}}).json()
    assert (changed["time_zone"], changed["wording"]) == ("Europe/Berlin", {})


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"language": "fr"}, "language", "Choose one of: en, ko."),
        ({"time_zone": "Moon/Base"}, "time_zone", "There is no time zone of this name"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "There is no time zone of this name"),
        ({"quiet_hours": "22-7"}, "quiet_hours", "Send a list"),
        ({"quiet_hours": [{"days": [7], "start": "22:00", "end": "07:00"}]}, "quiet_hours.0.days", "from 0 for Monday"),
        ({"quiet_hours": [{"days": [0], "start": "25:00", "end": "07:00"}]}, "quiet_hours.0.start", "time of day"),
        ({"quiet_hours": QUIET * 21}, "quiet_hours", "At most 20"),
        ({"wording": "hello"}, "wording", "Send an object"),
        ({"wording": {"footer": "x"}}, "wording.footer", "no such part"),
        ({"wording": {"title": "a\nb"}}, "wording.title", "one line"),
        ({"wording": {"body": "fine\n{{ tagret }}"}}, "wording.body", "Line 2: There is no placeholder {{ tagret }}."),
        ({"wording": {"body": 5}}, "wording.body", "Enter a text."),
        ({"wording": {"body": "x" * 4_001}}, "wording.body", "longer than 4000"),
    ],
)
def test_what_is_wrong_is_said_by_field_and_line(
    administrator: User, changes: dict[str, Any], field: str, sentence: str
) -> None:
    refused = api_client(administrator).post(API, body(**changes))
    assert refused.status_code == 400
    assert list(refused.json()) == [field]
    assert sentence in str(refused.json()[field])
    assert not Channel.objects.exists()


def test_what_looks_like_code_may_be_saved_and_stays_text(administrator: User) -> None:
    harmless = "{{7*7}} {% include 'x' %} {{ settings.SECRET_KEY }} {0.__class__}"
    made = api_client(administrator).post(API, body(wording={"body": harmless}))
    assert made.status_code == 201
    assert made.json()["wording"] == {"body": harmless}


def test_the_form_keeps_everything_and_shows_it_again(administrator: User) -> None:
    client = browser(administrator)
    form = read(client.get(NEW))
    assert 'name="config.url"' in form and 'name="wording.body"' in form and "{{ acknowledged_by }}" in form
    values = {
        "name": "Chat",
        "config.url": HOOK,
        "config.place": "#operations",
        "enabled": "on",
        "language": "ko",
        "time_zone": "Asia/Seoul",
        "quiet_hours-0-days": ["0", "4"],
        "quiet_hours-0-start": "22:00",
        "quiet_hours-0-end": "07:00",
        "wording.title": WORDING["title"],
        "wording.body": WORDING["body"].replace("\n", "\r\n"),
    }
    made = client.post(NEW, values)
    assert made.status_code == 302, re.findall(r'class="error">.*?<span>(.*?)</span>', read(made))
    channel = Channel.objects.get()
    assert (channel.language, channel.time_zone, channel.quiet_hours) == ("ko", "Asia/Seoul", QUIET)
    assert channel.wording == WORDING
    page = read(client.get(channel.get_absolute_url()))
    assert "#operations" in page and "Asia/Seoul" in page and "22:00–07:00" in page and "your own words" in page
    edit = read(client.get(f"{channel.get_absolute_url()}edit/"))
    assert WORDING["title"] in edit and 'value="22:00"' in edit and "sesame" not in edit
    kept = client.post(f"{channel.get_absolute_url()}edit/", {**values, "config.url": "", "wording.title": ""})
    assert kept.status_code == 302
    assert Channel.objects.get().wording == {"body": WORDING["body"]}


def test_what_is_wrong_stands_at_its_field_with_its_line(administrator: User) -> None:
    values = {"name": "Chat", "config.url": HOOK, "time_zone": "Nowhere", "wording.body": "a\nb\n{{ tagret }}"}
    answered = browser(administrator).post(NEW, {**values, "quiet_hours-0-start": "22:00"})
    assert answered.status_code == 400
    page = read(answered)
    assert "Line 3: There is no placeholder {{ tagret }}. Did you mean {{ target }}?" in page
    assert "Enter a time of day, such as 22:00." in page
    assert not Channel.objects.exists()
    elsewhere = browser(administrator).post(NEW, {**values, "wording.body": ""})
    assert "There is no time zone of this name" in read(elsewhere)


def test_the_preview_shows_both_languages_and_saves_nothing(administrator: User) -> None:
    client = browser(administrator)
    own = {"wording.title": "{{ target }} {{77*99}}", "wording.body": "{{ reason }}\n{{ oops }}", "preview": "yes"}
    answered = client.post(NEW, {**own, "time_zone": "Asia/Seoul"})
    assert answered.status_code == 200
    shown = read(answered).partition('id="wording-shown"')[2]
    assert "{{77*99}}" in shown and "7623" not in shown
    assert "Line 2: There is no placeholder {{ oops }}." in shown
    assert "Line 1: {{77*99}} is no placeholder and is sent as it stands." in shown
    assert "Expected status 200, got 503." in shown and "상태 코드가 503입니다(기대값 200)." in shown
    assert "KST" in shown
    assert not Channel.objects.exists()


def test_a_preview_never_repeats_a_secret_and_takes_any_typing(administrator: User) -> None:
    client = browser(administrator)
    for typed in ("x" * 100_000, "{{#firing}}" * 500, "\x00\ud7a3", "{{ "):
        answered = client.post(NEW, {"wording.body": typed, "config.url": HOOK, "preview": "yes", "time_zone": "\x00"})
        assert answered.status_code == 200
        assert "sesame" not in read(answered)


def test_a_channel_for_machines_has_no_words(administrator: User) -> None:
    channel = make_channel(HOOK)
    page = read(browser(administrator).get(f"{channel.get_absolute_url()}edit/"))
    assert 'name="wording.body"' not in page and 'id="id_language"' not in page
    assert 'name="time_zone"' in page, "with groups it has quiet hours"


def test_what_a_kind_cannot_do_without_is_replaced_but_not_removed(administrator: User) -> None:
    made = api_client(administrator).post(API, body()).json()
    page = read(browser(administrator).get(f"/alerts/channels/{made['id']}/edit/"))
    assert 'name="config.url"' in page and "config.url-clear" not in page


@pytest.mark.parametrize(("kind", "stand_in"), [("slack", slack), ("discord", discord)])
def test_an_incident_and_its_end_arrive_in_the_channels_language(
    administrator: User, kind: str, stand_in: Callable[[], ChatServer]
) -> None:
    with stand_in() as server:
        client = api_client(administrator)
        spoken = {"language": "ko", "time_zone": "Asia/Seoul", "config": {"url": server.hook}}
        made = client.post(API, body(kind=kind, **spoken)).json()
        client.post(f"{API}{made['id']}/test/")
        incident = make_incident("결제 <!channel> @everyone")
        deliver()
        assert server.complaints == []
        assert len(server.messages) == 2
        told = next(str(message) for message in server.messages if "결제" in str(message))
        assert "상태 코드가 503입니다" in told
        assert "/alerts/" in told
        assert incident.target.name not in told, "what is from outside is never sent as it came"
