"""A stored row that cannot be read stops itself: everybody else is told, and it says itself what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from apps.alerts.broken_channels import list_broken_channels, tell_of_broken_channels
from apps.alerts.models import Alert, AlertDecision, Channel, Notification, Route, Rule, Silence
from apps.alerts.routes.services import create_route
from apps.alerts.ruling.readings import Problem
from tests.alerts.filling import browser, equals, hush, text
from tests.alerts.register.opening import channel_for_machines, channel_for_people, open_alert
from tests.alerts.rules.world import become, evaluate, firing, look_steadily, make_rule, make_target, measure
from tests.alerts.world import deliver, make_channel, make_incident
from tests.factories import make_service, make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

HEALTH = "/settings/health/"
BROKEN: list[Any] = [None, {}, [], "x", 7, [7], [{}], [{"days": "all", "start": 1, "end": None}], {"label": "tag"}]
NO_MATCHERS: list[Any] = [
    None,
    {},
    "tag=shop",
    7,
    [7],
    [{}],
    [{"label": "tag", "operator": "=", "value": None}],
    [{"label": "planet", "operator": "=", "value": "x"}],
    [{"label": "tag", "operator": "?", "value": "x"}],
    [{"label": "tag", "operator": "=~", "value": "("}],
]


def store(row: Any, column: str, value: object) -> None:
    """As another version, or a hand, wrote it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {row._meta.db_table} SET {column} = %s::jsonb WHERE id = %s",
            [json.dumps(value), row.pk],
        )


def told(channel: Channel) -> list[str]:
    rows = AlertDecision.objects.filter(channel=channel, outcome="sent").order_by("pk")
    return [row.alert.labels["target"] for row in rows.select_related("alert")]


@pytest.mark.parametrize("value", [value for value in BROKEN if value != []])
def test_quiet_hours_that_cannot_be_read_are_none_and_everybody_is_told(value: object) -> None:
    broken, other = channel_for_people("Broken"), channel_for_people("Other")
    store(broken, "quiet_hours", value)
    open_alert(make_service("Shop").target)
    deliver()
    assert told(broken) == told(other) == ["Shop"]
    client = browser(make_user("admin"))
    sentence = "Its quiet hours cannot be read, so it is told at any hour."
    assert sentence in text(client.get(f"/alerts/channels/{broken.pk}/"))
    assert sentence in text(client.get(HEALTH))
    for page in ("/alerts/channels/", f"/alerts/channels/{broken.pk}/edit/", f"/api/v1/channels/{broken.pk}/"):
        assert client.get(page).status_code == 200
    assert list_broken_channels(make_user("admin")) == [], "it tells all the same"


@pytest.mark.parametrize(
    "value", [None, [], "x", 7, {}, {"url": 7, "secret": ""}, {"url": "http://127.0.0.1:9/", "colour": 1}]
)
def test_a_channel_whose_settings_cannot_be_read_is_told_of_through_another(value: object) -> None:
    broken = channel_for_machines("Broken")
    store(broken, "config", value)
    with HttpServer() as server:
        server.behave("/", answer(200))
        other = make_channel(server.url("/"), name="Other")
        make_incident("Shop")
        deliver()
        assert tell_of_broken_channels() == 1
        deliver()
    assert told(other) == ["Shop", "Broken"]
    assert set(Notification.objects.filter(channel=broken).values_list("state", "reason")) == {
        ("dead", "invalid_configuration")
    }
    alert = Alert.objects.get(cause="channel")
    assert (alert.detail["fault"], alert.detail["reason"]) == ("unreadable", "invalid_configuration")
    assert tell_of_broken_channels() == 0, "it is told once"
    client = browser(make_user("admin"))
    for page in (f"/alerts/channels/{broken.pk}/", HEALTH):
        assert "Nothing can be sent" in text(client.get(page))
    assert [one.name for one in list_broken_channels(make_user("admin"))] == ["Broken"]
    for page in ("/", "/alerts/channels/", f"/alerts/channels/{broken.pk}/edit/", "/api/v1/channels/"):
        assert client.get(page).status_code == 200
    store(broken, "config", {"url": "http://127.0.0.1:9/hook", "secret": ""})
    Notification.objects.filter(channel=broken).delete()
    assert tell_of_broken_channels() == 1
    assert not Alert.objects.firing().filter(cause="channel").exists()


def test_a_secret_of_another_key_is_named_as_the_reason() -> None:
    broken = make_channel("http://127.0.0.1:9/hook", name="Broken")
    config = {**broken.config, "secret": "sealed:v1:nonsense"}
    store(broken, "config", config)
    channel_for_people("Other")
    assert tell_of_broken_channels() == 1
    assert Alert.objects.get(cause="channel").detail["reason"] == "secret_unreadable"


@pytest.mark.parametrize("value", NO_MATCHERS)
def test_a_route_that_cannot_be_read_is_passed_over_and_its_channel_hears_of_everything(value: object) -> None:
    lost, other = channel_for_machines("Lost"), channel_for_machines("Other")
    route, _warnings = create_route(actor=None, name="Broken", matchers=[equals("tag", "shop")], channels=[lost])
    create_route(actor=None, name="Rest", channels=[other])
    store(route, "matchers", value)
    open_alert(make_service("Shop").target)
    deliver()
    assert told(lost) == told(other) == ["Shop"]
    client = browser(make_user("admin"))
    tree = text(client.get("/alerts/routes/"))
    assert "This route cannot be read, so it is not asked" in tree
    assert tree.count("everything</span>") == 1, "of the other one, which takes every alert"
    assert "This route cannot be read, so it is not asked" in text(client.get(HEALTH))
    who = text(client.get("/alerts/routes/", {"target": "Shop", "severity": "critical"}))
    assert "What it takes cannot be read" in who and "2 channels would be told" in who
    assert client.get(f"/alerts/routes/{route.pk}/edit/").status_code == 200


@pytest.mark.parametrize(
    ("column", "value"), [("active_times", {"days": 1}), ("active_times", None), ("group_by", "x")]
)
def test_neither_hours_nor_labels_of_a_route_stop_the_others(column: str, value: object) -> None:
    lost = channel_for_machines("Lost")
    route, _warnings = create_route(actor=None, name="Broken", channels=[lost])
    store(route, column, value)
    open_alert(make_service("Shop").target)
    deliver()
    assert told(lost) == ["Shop"]
    assert Route.objects.get().name == "Broken"
    client = browser(make_user("admin"))
    for page in ("/alerts/routes/", f"/alerts/routes/{route.pk}/edit/", "/api/v1/routes/"):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("value", NO_MATCHERS)
def test_a_silence_that_cannot_be_read_hushes_nothing(value: object) -> None:
    pager, silence = channel_for_machines(), hush(matchers=[equals("target", "Shop")])
    store(silence, "matchers", value)
    hush(matchers=[equals("target", "Stock")])
    open_alert(make_service("Shop").target)
    open_alert(make_service("Stock").target)
    deliver()
    assert told(pager) == ["Shop"]
    client = browser(make_user("admin"))
    for page in (silence.get_absolute_url(), HEALTH):
        assert "What it hushes cannot be read, so it hushes nothing" in text(client.get(page))
    like_it = f"/alerts/silences/new/?like={silence.pk}"
    for page in ("/alerts/silences/", f"{silence.get_absolute_url()}edit/", like_it, "/api/v1/silences/"):
        assert client.get(page).status_code == 200
    for page in (silence.get_absolute_url(), "/alerts/silences/"):
        shown = text(client.get(page))
        assert "everything</span>" not in shown and "nothing</span>" in shown
    assert Silence.objects.count() == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("matchers", value) for value in NO_MATCHERS),
        ("config", None),
        ("config", [1]),
        ("config", {"window_seconds": "long"}),
    ],
)
def test_a_rule_that_cannot_be_read_stops_no_other_rule_and_no_incident(column: str, value: object) -> None:
    look_steadily()
    Rule.objects.update(enabled=False)
    slow, status = make_rule("Slow"), make_rule("Down", kind="status")
    good = make_rule("Good")
    for rule in (slow, status):
        store(rule, column, value)
    target = make_target()
    measure(target, 9_000)
    become(target, "operational")
    pager = channel_for_machines()
    evaluate()
    assert firing() == [("Shop", "latency", "critical")]
    problems = dict(Rule.objects.filter(enabled=True).values_list("name", "problem"))
    assert problems == {"Slow": Problem.UNREADABLE, "Down": Problem.UNREADABLE, good.name: ""}
    make_incident("Stock")
    deliver()
    assert sorted(told(pager)) == ["Shop", "Stock"]
    client = browser(make_user("admin"))
    for page in (f"/alerts/rules/{slow.pk}/", HEALTH):
        assert "The settings of this rule cannot be read" in text(client.get(page))
    for page in ("/alerts/rules/", f"/alerts/rules/{slow.pk}/edit/", "/api/v1/rules/"):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("value", [None, [], "x", {"title": 7}])
def test_words_that_cannot_be_read_are_the_portals_own(value: object) -> None:
    with HttpServer() as server:
        server.behave("/", answer(200))
        channel = make_channel(server.url("/"))
        store(channel, "wording", value)
        make_incident("Shop")
        deliver()
    assert list(Notification.objects.values_list("state", flat=True)) == ["sent"]
