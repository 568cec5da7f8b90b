"""Acknowledging from a message: looking changes nothing, confirming does, and each dead end says what it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Alert, Channel, Notification
from apps.alerts.register.services import acknowledge_alert
from apps.alerts.replies.limits import ANSWERS_A_MINUTE
from apps.alerts.replies.tokens import Purpose
from apps.alerts.routing import route_all
from apps.catalog.models import Target
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.register.opening import end_alert, open_alert
from tests.alerts.replies.world import acknowledge_link, alert_of, channel, link, silence_link, state_of, tap, text
from tests.alerts.world import make_incident

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    "headers", [{}, {"HTTP_SEC_PURPOSE": "prefetch"}, {"HTTP_USER_AGENT": "Slackbot-LinkExpanding"}]
)
def test_looking_at_a_link_changes_nothing(method: str, headers: dict[str, str]) -> None:
    alert, team = alert_of(), channel()
    for url in (acknowledge_link(alert, team), silence_link(alert, team)):
        for _ in range(3):
            assert getattr(Client(), method)(url, **headers).status_code == 200
    assert state_of(alert) == (False, 0)
    assert not AuditEntry.objects.filter(action__in=["acknowledge"]).exists()


def test_one_tap_and_one_confirmation_acknowledge_without_signing_in() -> None:
    alert, team = alert_of("Shop"), channel("Night shift")
    url = acknowledge_link(alert, team)
    page = text(Client().get(url))
    assert "Acknowledge this alert" in page and "Shop" in page and "Night shift" in page
    answered = tap(url)
    assert answered.redirect_chain == [(url, 303)]
    assert answered.status_code == 200
    assert "Acknowledged" in text(answered) and "Acknowledged through Night shift" in text(answered)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_through) == (None, "Night shift")
    entry = AuditEntry.objects.get(action="acknowledge", object_type="alert")
    assert entry.actor is None and entry.changes["through"] == [None, "Night shift"]


def test_somebody_who_is_signed_in_is_named(viewer: User) -> None:
    alert, team = alert_of(), channel()
    client = Client()
    client.force_login(viewer)
    assert f"Acknowledged by {viewer}" in text(tap(acknowledge_link(alert, team), client))
    alert.refresh_from_db()
    assert alert.acknowledged_by == viewer


def test_an_alert_with_an_incident_acknowledges_the_incident() -> None:
    team = channel()
    incident = make_incident()
    route_all()
    tap(acknowledge_link(Alert.objects.get(), team))
    incident.refresh_from_db()
    assert incident.acknowledged_at is not None
    assert Incident.objects.count() == 1


def test_a_message_of_several_alerts_acknowledges_those_and_no_later_one() -> None:
    team, first = channel(), alert_of("Shop")
    target = first.target
    second = open_alert(target, cause="uptime")
    message = Notification.objects.create(
        channel=team, source=team.pk, kind="alert.firing", not_before=clock.now(), created_at=clock.now()
    )
    message.alerts.set([first, second])
    later = open_alert(target, cause="certificate")
    url = link(Purpose.ACKNOWLEDGE_MESSAGE, message, team)
    assert "Acknowledge these 2 alerts" in text(Client().get(url))
    tap(url)
    assert [state_of(alert)[0] for alert in (first, second, later)] == [True, True, False]


def test_without_the_form_of_the_page_nothing_is_done() -> None:
    alert, team = alert_of(), channel()
    client = Client(enforce_csrf_checks=True)
    assert client.post(acknowledge_link(alert, team)).status_code == 403
    assert Client().put(acknowledge_link(alert, team)).status_code == 405
    assert state_of(alert) == (False, 0)


# --- Where nothing can be done ------------------------------------------------------------------------------


def _expired(alert: Alert, team: Channel, operator: User) -> str:
    return link(Purpose.ACKNOWLEDGE_ALERT, alert, team, lifetime=timedelta(seconds=-1))


def _forged(alert: Alert, team: Channel, operator: User) -> str:
    url = acknowledge_link(alert, team)
    return url[:-3] + ("AA/" if url[-3:] != "AA/" else "BB/")


def _of_another_purpose(alert: Alert, team: Channel, operator: User) -> str:
    return "/m/s" + acknowledge_link(alert, team)[4:]


def _resolved(alert: Alert, team: Channel, operator: User) -> str:
    end_alert(alert)
    return acknowledge_link(alert, team)


def _acknowledged(alert: Alert, team: Channel, operator: User) -> str:
    acknowledge_alert(alert=alert, actor=operator)
    return acknowledge_link(alert, team)


def _channel_deleted(alert: Alert, team: Channel, operator: User) -> str:
    Channel.objects.filter(pk=team.pk).update(deleted_at=clock.now())
    return acknowledge_link(alert, team)


def _channel_purged(alert: Alert, team: Channel, operator: User) -> str:
    url = acknowledge_link(alert, team)
    team.delete()
    return url


def _removed(alert: Alert, team: Channel, operator: User) -> str:
    url = acknowledge_link(alert, team)
    alert.delete()
    return url


def _target_deleted(alert: Alert, team: Channel, operator: User) -> str:
    Target.objects.filter(alerts=alert).update(deleted_at=clock.now())
    return acknowledge_link(alert, team)


DEAD_ENDS: list[tuple[Any, int, str]] = [
    (_expired, 410, "This link has expired"),
    (_forged, 404, "This link is not valid"),
    (_of_another_purpose, 404, "This link is not valid"),
    (_resolved, 409, "Resolved already"),
    (_acknowledged, 200, "Acknowledged"),
    (_channel_deleted, 403, "This link is no longer accepted"),
    (_channel_purged, 403, "This link is no longer accepted"),
    (_removed, 404, "There is nothing here any more"),
    (_target_deleted, 404, "There is nothing here any more"),
]


@pytest.mark.parametrize(("make", "status", "title"), DEAD_ENDS, ids=lambda value: getattr(value, "__name__", None))
def test_each_dead_end_has_its_own_page_and_status(make: Any, status: int, title: str, operator: User) -> None:
    alert, team = alert_of(), channel()
    url = make(alert, team, operator)
    before = list(Alert.objects.values_list("pk", "acknowledged_at", "acknowledged_by"))
    for answer in (Client().get(url), Client().post(url)):
        assert answer.status_code == status
        assert title in text(answer)
        assert "<form method" not in answer.content.decode().partition("</main>")[0]
    assert list(Alert.objects.values_list("pk", "acknowledged_at", "acknowledged_by")) == before


def test_the_links_of_a_channel_that_is_off_go_on_working() -> None:
    alert, team = alert_of(), channel()
    Channel.objects.update(enabled=False)
    tap(acknowledge_link(alert, team))
    assert state_of(alert) == (True, 0)


def test_one_address_answers_so_often_a_minute_and_no_oftener() -> None:
    alert, team = alert_of(), channel()
    url = silence_link(alert, team)
    client = Client()
    with clock.frozen(clock.now()):
        statuses = [client.post(url, {"hours": "never"}).status_code for _ in range(ANSWERS_A_MINUTE + 1)]
        refused = client.post(url, {"hours": "1"})
        assert statuses == [400] * ANSWERS_A_MINUTE + [429]
        assert refused.status_code == 429 and refused["Retry-After"] == "60"
        assert "Wait a minute" in text(refused)
        assert client.get(url).status_code == 200, "looking is not counted"
        elsewhere = client.post(url, {"hours": "1"}, REMOTE_ADDR="192.0.2.7")
        assert elsewhere.status_code == 303
        forwarded = client.post(url, {"hours": "4"}, HTTP_X_FORWARDED_FOR="10.0.0.1, 192.0.2.8")
        assert forwarded.status_code == 303, "behind a proxy of this machine its word counts"
    assert state_of(alert) == (False, 2)
