"""Channels that tell nobody: found by what happened to them, told through another, and over when they work again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.broken_channels import Fault, list_broken_channels, tell_of_broken_channels
from apps.alerts.models import Alert, AlertEvent, Channel, Notification
from apps.alerts.pages.sentences import why
from apps.alerts.replaying import list_replayable, replay_dead
from apps.alerts.routing import route_all
from apps.alerts.services import delete_channel, send_test, update_channel
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from tests.alerts.register.opening import channel_for_people
from tests.alerts.world import deliver, make_channel, make_due, make_incident
from tests.factories import make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db


def finished(channel: Channel, state: str = "dead", *, ago: float = 60, **fields: Any) -> Notification:
    """A message through `channel` that ended `ago` seconds from now."""
    at = clock.now() - timedelta(seconds=ago)
    values: dict[str, Any] = {"kind": "alert.firing", "reason": "unauthorized" if state == "dead" else "delivered"}
    return Notification.objects.create(
        channel=channel,
        source=uuid7(),
        state=state,
        not_before=at,
        created_at=at - timedelta(seconds=1),
        finished_at=at,
        **{**values, **fields},
    )


def channel(name: str = "Team", **fields: Any) -> Channel:
    """One that nobody has edited today."""
    made = channel_for_people(name, **fields)
    Channel.objects.filter(pk=made.pk).update(updated_at=clock.now() - timedelta(days=1))
    return made


def now(**fields: float) -> Any:
    return clock.now() - timedelta(**fields)


def off(one: Channel, reason: str) -> None:
    Channel.objects.filter(pk=one.pk).update(enabled=False, disabled_reason=reason)


def gave_up_and_off(one: Channel) -> None:
    finished(one)
    off(one, "")


def opened(one: Channel, seconds: float) -> None:
    Channel.objects.filter(pk=one.pk).update(
        failures=9, open_since=now(seconds=seconds), open_until=clock.now() + timedelta(seconds=300)
    )


# What happened to a channel, and what is wrong with it (None: nothing).
TABLE: list[tuple[str, Any, Fault | None]] = [
    ("nothing was sent yet", lambda one: None, None),
    ("everything arrives", lambda one: finished(one, "sent"), None),
    ("a message was given up", finished, Fault.GAVE_UP),
    ("a message was given up long ago", lambda one: finished(one, ago=3_700), None),
    ("a message was dropped", lambda one: finished(one, "dropped", reason="superseded"), None),
    ("a test failed in front of whoever asked", lambda one: finished(one, kind="channel.test"), None),
    (
        "a message was given up and the next arrived",
        lambda one: (finished(one, ago=90), finished(one, "sent", ago=30)),
        None,
    ),
    (
        "a message arrived and the next was given up",
        lambda one: (finished(one, "sent", ago=90), finished(one, ago=30)),
        Fault.GAVE_UP,
    ),
    (
        "a message was given up and a test arrived",
        lambda one: (finished(one, ago=90), finished(one, "sent", ago=30, kind="channel.test")),
        None,
    ),
    ("the receiver said it is gone", lambda one: off(one, "receiver_gone"), Fault.SWITCHED_OFF),
    ("it led back to the portal", lambda one: off(one, "loop"), Fault.SWITCHED_OFF),
    ("a person switched it off", gave_up_and_off, None),
    ("its breaker opened just now", lambda one: opened(one, 30), None),
    ("its breaker has been open for ten minutes", lambda one: opened(one, 601), Fault.NOT_ANSWERING),
]


@pytest.mark.parametrize(("story", "happen", "fault"), TABLE, ids=[row[0] for row in TABLE])
def test_what_happened_decides_whether_a_channel_is_broken(
    story: str, happen: Any, fault: Fault | None, viewer: User
) -> None:
    happen(channel())
    assert [one.fault for one in list_broken_channels(viewer)] == ([fault] if fault else [])
    tell_of_broken_channels()
    assert Alert.objects.firing().count() == (1 if fault else 0)


def test_a_broken_channel_is_told_through_the_others_and_not_through_itself() -> None:
    broken, other = channel("Broken"), channel("Other")
    off(broken, "receiver_gone")
    assert tell_of_broken_channels() == 1
    alert = Alert.objects.get()
    assert alert.fingerprint == f"channel:{broken.pk}"
    assert (alert.cause, alert.severity, alert.labels["kind"]) == ("channel", "critical", "portal")
    assert alert.labels["channel"] == alert.detail["channel"] == str(broken.pk)
    assert alert.sources.get().kind == "portal"
    Channel.objects.filter(pk=broken.pk).update(enabled=True)
    route_all()
    told = Notification.objects.get()
    assert told.channel == other
    [entry] = told.payload["data"]["alerts"]
    assert (entry["title"], entry["reason"]) == ("Broken", "receiver_gone")
    assert why(alert) == "The receiver had it switched off (The receiver said it is gone for good)"


def test_it_is_told_once_however_often_it_is_looked_at() -> None:
    off(channel(), "receiver_gone")
    assert [tell_of_broken_channels() for _ in range(3)] == [1, 0, 0]
    assert AlertEvent.objects.count() == 1


def test_another_fault_of_the_same_channel_is_the_same_alert() -> None:
    one = channel()
    opened(one, 700)
    tell_of_broken_channels()
    off(one, "receiver_gone")
    tell_of_broken_channels()
    alert = Alert.objects.get()
    assert (alert.detail["fault"], alert.detail["reason"]) == ("switched_off", "receiver_gone")
    assert AlertEvent.objects.count() == 1


def _switched_on(one: Channel, actor: User) -> None:
    update_channel(actor=actor, channel=one, enabled=True)


def _deleted(one: Channel, actor: User) -> None:
    delete_channel(actor=actor, channel=one)


def _purged(one: Channel, actor: User) -> None:
    one.delete()


@pytest.mark.parametrize("mend", [_switched_on, _deleted, _purged])
def test_it_is_over_when_somebody_switched_it_on_or_removed_it(mend: Any, administrator: User) -> None:
    one = channel()
    off(one, "receiver_gone")
    tell_of_broken_channels()
    one.refresh_from_db()
    mend(one, administrator)
    assert tell_of_broken_channels() == 1
    assert not Alert.objects.firing().exists()
    assert tell_of_broken_channels() == 0


def test_time_alone_mends_nothing_and_a_delivery_does(viewer: User) -> None:
    one = channel()
    dead = finished(one)
    tell_of_broken_channels()
    earlier = now(hours=30)
    Notification.objects.filter(pk=dead.pk).update(finished_at=earlier, created_at=earlier)
    Channel.objects.update(updated_at=now(days=3))
    assert tell_of_broken_channels() == 0
    assert Alert.objects.firing().exists()
    assert list_broken_channels(viewer) != []
    finished(one, "sent", ago=1)
    assert tell_of_broken_channels() == 1
    assert not Alert.objects.firing().exists()


def test_sending_again_what_was_given_up_is_a_new_chance(operator: User) -> None:
    finished(channel())
    tell_of_broken_channels()
    replay_dead(actor=operator, rows=list_replayable(operator))
    assert tell_of_broken_channels() == 1
    assert not Alert.objects.firing().exists()


def test_the_breaker_remembers_since_when_it_is_open(receiver: HttpServer, administrator: User) -> None:
    one = make_channel(receiver.behave("/hook", answer(503)))
    make_incident()
    deliver()
    for _ in range(6):
        Channel.objects.update(open_until=None)
        make_due()
        deliver()
    one.refresh_from_db()
    assert one.failures >= 5 and one.open_since is not None and one.open_until is not None
    first = one.open_since
    Channel.objects.update(open_until=now(seconds=1))
    make_due()
    deliver()
    one.refresh_from_db()
    assert one.open_since == first, "a try that failed does not begin it anew"
    receiver.behave("/hook", answer(200))
    send_test(actor=administrator, channel=one)
    deliver()
    one.refresh_from_db()
    assert not any([one.failures, one.open_since, one.open_until])


def test_a_receiver_that_answers_410_is_told_of_through_another(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/gone", answer(410)), name="Gone")
    make_channel(receiver.behave("/other", answer(200)), name="Other")
    make_incident()
    deliver()
    assert tell_of_broken_channels() == 1
    deliver()
    bodies = [request.body.decode() for request in receiver.received if request.path == "/other"]
    assert any('"alert.firing"' in body and "Gone" in body for body in bodies)


# --- The overview ---------------------------------------------------------------------------------------------


def notices(user: User, query: str = "") -> str:
    client = Client()
    client.force_login(user)
    found: str = client.get(f"/fragments/notices/{query}").content.decode()
    return found


def test_the_overview_names_the_channel_whose_settings_cannot_be_read(viewer: User) -> None:
    one = channel("Night shift")
    Channel.objects.filter(pk=one.pk).update(config={})
    shown = notices(viewer)
    assert "Nobody is told through Night shift: its settings cannot be read." in shown
    assert f'href="{one.get_absolute_url()}"' in shown


def test_the_overview_names_the_channel_that_is_broken_and_leads_to_it(viewer: User) -> None:
    one = channel("Night shift")
    assert "Night shift" not in notices(viewer)
    off(one, "receiver_gone")
    shown = notices(viewer)
    assert "Night shift was switched off by its receiver" in shown and "gone for good" in shown
    assert f'href="{one.get_absolute_url()}"' in shown
    finished(channel("Mail"))
    both = notices(viewer)
    assert "Nobody is told through 2 channels: Mail, Night shift." in both


def test_the_overview_warns_of_what_its_reader_may_see(
    production: Environment, development: Environment, viewer: User, outsider: User
) -> None:
    off(channel("Production only", environment=production), "receiver_gone")
    off(channel("Everywhere"), "receiver_gone")
    assert "Production only" in notices(viewer)
    theirs = notices(make_user(Role.VIEWER, development))
    assert "Production only" not in theirs and "Everywhere" in theirs
    assert "Production only" not in notices(viewer, "?environment=dev")
    assert "Everywhere" not in notices(outsider)


def test_looking_is_one_query_however_many_channels_and_messages_there_are() -> None:
    for number in range(20):
        finished(channel(f"Channel {number}"), "sent")
    with CaptureQueriesContext(connection) as few:
        assert tell_of_broken_channels() == 0
    one = Channel.objects.first()
    assert one is not None
    Notification.objects.bulk_create(
        Notification(
            channel=one, source=uuid7(), kind="alert.firing", state="sent", not_before=clock.now(),
            created_at=clock.now(), finished_at=clock.now(),
        )
        for _ in range(1_000)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        assert tell_of_broken_channels() == 0
    assert len(few) == len(many) == 1
