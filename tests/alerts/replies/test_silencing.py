"""Silencing from a message: for how long, of what, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.alerts.matching import all_hold, load
from apps.alerts.models import Channel, Notification, Silence
from apps.alerts.replies.tokens import Purpose
from apps.alerts.routing import route_all
from apps.core import clock
from tests.alerts.register.opening import end_alert, open_alert
from tests.alerts.replies.world import alert_of, channel, link, silence_link, tap, text
from tests.factories import make_environment, make_service

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("hours", [1, 4, 24])
def test_a_silence_lasts_as_long_as_was_chosen(hours: int) -> None:
    alert, team = alert_of("Shop"), channel("Night shift")
    url = silence_link(alert, team)
    page = text(Client().get(url))
    assert "Silence Shop" in page and "Silence for 1 hour " in page and "Silence for 24 hours" in page
    shown = text(tap(url, hours=hours))
    assert "Silenced" in shown and "Nobody is told of it until" in shown
    silence = Silence.objects.get()
    assert abs(silence.ends_at - clock.now() - timedelta(hours=hours)) < timedelta(minutes=1)
    assert (silence.author, silence.made_through) == (None, "Night shift")
    assert silence.comment == "Made from a message of Night shift."
    assert silence.environment == alert.environment


@pytest.mark.parametrize("hours", ["", "2", "-1", "0", "many", "1e3", "²", "9" * 5_000])
def test_any_other_time_is_refused_with_what_would_be_right(hours: str) -> None:
    alert, team = alert_of(), channel()
    answered = tap(silence_link(alert, team), hours=hours)
    assert answered.status_code == 400
    assert "1, 4 or 24 hours" in text(answered)
    assert not Silence.objects.exists()


def test_a_silence_of_an_alert_hushes_that_cause_of_that_target_and_nothing_else() -> None:
    alert, team = alert_of("Shop"), channel()
    other_cause = open_alert(alert.target, cause="certificate")
    other_target = alert_of("Search")
    tap(silence_link(alert, team), hours=1)
    matchers = load(Silence.objects.get().matchers)
    assert all_hold(matchers, alert.labels)
    assert not all_hold(matchers, other_cause.labels)
    assert not all_hold(matchers, other_target.labels)


def test_a_silence_of_a_target_hushes_all_of_it_in_its_environment() -> None:
    team, target = channel(), make_service("Shop").target
    first, second = open_alert(target), open_alert(target, cause="certificate")
    namesake = open_alert(make_service("Shop", environment=make_environment("dev")).target)
    tap(link(Purpose.SILENCE_TARGET, target, team), hours=4)
    silence = Silence.objects.get()
    assert all(all_hold(load(silence.matchers), alert.labels) for alert in (first, second))
    assert silence.environment == first.environment != namesake.environment


def test_what_is_silenced_from_a_message_is_told_to_nobody() -> None:
    team = channel()
    alert = alert_of("Shop")
    tap(silence_link(alert, team), hours=1)
    route_all()
    assert not Notification.objects.exists()


def test_a_second_tap_makes_no_second_silence_and_a_longer_one_can_be_made() -> None:
    alert, team = alert_of(), channel()
    url = silence_link(alert, team)
    for _ in range(3):
        tap(url, hours=4)
    assert Silence.objects.count() == 1
    assert "It can be silenced for longer" in text(Client().get(url))
    tap(url, hours=1)
    assert Silence.objects.count() == 1, "it is hushed for longer already"
    tap(url, hours=24)
    assert Silence.objects.count() == 2


def test_what_comes_and_goes_can_be_hushed_while_it_is_gone() -> None:
    alert, team = alert_of(), channel()
    end_alert(alert)
    assert "Resolved" in text(Client().get(silence_link(alert, team)))
    tap(silence_link(alert, team), hours=1)
    assert Silence.objects.count() == 1


def test_somebody_who_is_signed_in_is_its_author(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    tap(silence_link(alert_of(), channel()), client, hours=1)
    assert Silence.objects.get().author == operator


def test_a_channel_that_was_deleted_silences_nothing() -> None:
    alert, team = alert_of(), channel()
    url = silence_link(alert, team)
    Channel.objects.update(deleted_at=clock.now())
    assert Client().post(url, {"hours": "1"}).status_code == 403
    assert not Silence.objects.exists()
