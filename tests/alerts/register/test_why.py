"""Why was I not told? Each channel with every decision, and plainly when there was none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.models import Alert, Channel, Notification
from apps.alerts.routes.services import create_route
from apps.alerts.routing import route_all
from apps.alerts.silences.services import create_silence, end_silence
from apps.catalog.models import Environment
from apps.core import clock
from tests.alerts.register.opening import channel_for_machines, channel_for_people, open_alert
from tests.factories import api_client, make_service

pytestmark = pytest.mark.django_db


def why(person: User, alert: Alert) -> dict[str, Any]:
    answer = api_client(person).get(f"/api/v1/alerts/{alert.pk}/why/")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def story(told: dict[str, Any], channel: Channel) -> dict[str, Any]:
    [found] = [entry for entry in told["channels"] if entry["channel"] and entry["channel"]["id"] == str(channel.pk)]
    return dict(found)


def reasons(entry: dict[str, Any]) -> list[str]:
    assert all(decision["sentence"] and decision["stage"] for decision in entry["decisions"])
    return [decision["reason"] for decision in entry["decisions"]]


def equals(label: str, value: str) -> list[dict[str, str]]:
    return [{"label": label, "operator": "=", "value": value}]


def test_who_was_told_by_which_route_and_how_the_message_fared(viewer: User) -> None:
    pager = channel_for_machines()
    route, _warnings = create_route(actor=None, name="All", channels=[pager])
    alert = open_alert(make_service().target)
    route_all()
    made = why(viewer, alert)
    entry = story(made, pager)
    assert (made["told"], entry["told"], entry["sentence"]) == (False, False, "A message is on its way.")
    assert (entry["route"]["id"], reasons(entry)) == (str(route.pk), ["told"])
    [decision] = entry["decisions"]
    assert decision["notification"]["id"] == str(Notification.objects.get().pk)
    Notification.objects.update(state="sent", reason="delivered")
    told = why(viewer, alert)
    assert (told["told"], told["sentence"]) == (True, "1 channel was told.")
    assert story(told, pager)["sentence"] == "It was told."
    Notification.objects.update(state="dead", reason="receiver_error")
    dead = story(why(viewer, alert), pager)
    assert dead["sentence"].startswith("A message was made and could not be delivered: ")
    assert not dead["sentence"].endswith(": ")


def test_a_silence_that_held_it_is_named_also_after_it_has_ended(viewer: User) -> None:
    team = channel_for_people()
    target = make_service("Shop").target
    silence = create_silence(
        actor=None,
        matchers=equals("target", "Shop"),
        starts_at=None,
        ends_at=clock.now() + timedelta(hours=1),
        comment="Being moved",
    )
    alert = open_alert(target)
    route_all()
    held = why(viewer, alert)
    entry = story(held, team)
    assert (held["told"], entry["told"], reasons(entry)) == (False, False, ["silenced"])
    assert entry["decisions"][0]["detail"]["silence"] == str(silence.pk)
    assert entry["next_look_at"] is not None
    assert held["sentence"].startswith("Nobody was told")
    end_silence(actor=None, silence=silence)
    alert.memberships.get().group.__class__.objects.update(due_at=clock.now())
    route_all()
    Notification.objects.update(state="sent", reason="delivered")
    later = story(why(viewer, alert), team)
    assert (later["told"], reasons(later)) == (True, ["silenced", "told"])


def test_plainly_when_no_route_led_anywhere(viewer: User) -> None:
    team = channel_for_people()
    create_route(actor=None, name="Shop", matchers=equals("tag", "shop"), channels=[team])
    alert = open_alert(make_service("Search").target)
    route_all()
    told = why(viewer, alert)
    assert (told["told"], told["sentence"]) == (False, "Nobody was told: no route led this alert to a channel.")
    assert [reasons(entry) for entry in told["channels"] if entry["channel"] is None] == [["no_channel"]]
    assert story(told, team)["sentence"] == "No route led this alert to this channel."


def test_channels_it_never_reached_say_why(viewer: User, development: Environment) -> None:
    channel_for_machines("Pager")
    off = channel_for_machines("Off", enabled=False)
    elsewhere = channel_for_machines("Elsewhere", development)
    alert = open_alert(make_service().target)
    route_all()
    late = channel_for_machines("Late")
    told = why(viewer, alert)
    assert story(told, off)["sentence"] == "This channel is switched off."
    assert story(told, late)["sentence"] == "This channel was made after the alert began."
    assert str(elsewhere.pk) not in str(told), "a channel of another environment is none of its readers' business"


def test_before_the_pipeline_has_looked_it_says_so(viewer: User) -> None:
    channel_for_machines()
    told = why(viewer, open_alert(make_service().target))
    assert told["sentence"] == "Nobody was told yet: its way to the channels has not been looked for."


def test_what_waits_for_its_group_says_when_it_is_looked_at(viewer: User) -> None:
    team = channel_for_people()
    create_route(actor=None, name="All", channels=[team], group_by=[], group_wait_seconds=300)
    alert = open_alert(make_service().target)
    route_all()
    entry = story(why(viewer, alert), team)
    assert (entry["told"], entry["decisions"]) == (False, [])
    assert entry["next_look_at"] is not None
    assert "on its way" in entry["sentence"]
