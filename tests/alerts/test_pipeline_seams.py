"""Where one part of the pipeline hands over to another: what could be told twice, never, or to the wrong people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.alerts import routing
from apps.alerts.models import Alert, AlertEvent, AlertGroup, Channel, GroupMember, Notification, Route, Silence
from apps.alerts.pipeline import flushing
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.taking import take_incident_events
from apps.alerts.routes.services import create_route, delete_route
from apps.alerts.routing import route_all
from apps.alerts.selectors import has_waiting
from apps.checks.models import Incident, IncidentEvent
from apps.core import clock
from tests.alerts.test_pipeline import fire, make_rule, make_target, pass_time, people, told
from tests.alerts.world import environment, happen, make_channel, make_incident

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/"


def deliver_all() -> None:
    """As if every message had reached its receiver."""
    Notification.objects.filter(state="pending").update(state="sent")


def silence(name: str, *, hours: int = 8) -> Silence:
    return Silence.objects.create(
        matchers=[{"label": "target", "operator": "=", "value": name}],
        starts_at=clock.now() - timedelta(minutes=1),
        ends_at=clock.now() + timedelta(hours=hours),
        comment="moving",
    )


def seconds_to_next_look() -> float:
    group = AlertGroup.objects.get()
    assert group.due_at is not None
    return (group.due_at - clock.now()).total_seconds()


def one_route(channel: Channel, **fields: Any) -> Route:
    route = Route.objects.create(**{"name": "All", "group_by": [], "group_wait_seconds": 0, **fields})
    route.channels.add(channel)
    return route


# --- Looked at again ----------------------------------------------------------------------------------------


def test_a_reminder_that_is_held_is_not_looked_at_every_second() -> None:
    people()
    make_incident("Shop")
    route_all()
    deliver_all()
    silence("Shop", hours=24)
    pass_time(4 * 3_600 + 1)
    route_all()
    assert len(told()) == 1
    assert seconds_to_next_look() > 30


def test_routing_ends_though_what_is_held_is_due_again_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where a look at thousands takes longer than until the next one.
    monkeypatch.setattr(flushing, "LOOK_AGAIN_AT_LEAST_SECONDS", 0)
    monkeypatch.setattr(flushing, "LOOK_AGAIN_SECONDS", 0)
    people()
    silence("Shop")
    make_incident("Shop")
    route_all()
    assert has_waiting()


def test_a_channel_that_moved_to_another_environment_is_not_looked_at_every_second() -> None:
    team = people()
    incident = make_incident("Shop")
    route_all()
    deliver_all()
    team.environment = environment("dev")
    team.save()
    pass_time(4 * 3_600 + 1)
    route_all()
    assert len(told()) == 1
    due = AlertGroup.objects.get().due_at
    assert due is None or (due - clock.now()).total_seconds() > 30
    happen(incident, "resolved", to="operational")
    route_all()
    assert not GroupMember.objects.exists()


def test_what_is_known_and_becomes_critical_does_not_wait_for_its_group() -> None:
    team = people()
    one_route(team, group_interval_seconds=300)
    rule, target = make_rule(), make_target()
    fire(rule, target, severity="warning")
    route_all()
    deliver_all()
    fire(rule, target, severity="critical")
    route_all()
    assert told(team) == [("alert.firing", 1)] * 2


def test_a_digest_waits_for_its_morning_though_what_held_one_of_it_is_over() -> None:
    team = people()
    incident = make_incident("Shop")
    route_all()
    deliver_all()
    fire(make_rule(), incident.target, severity="info")
    route_all()
    pass_time(24 * 3_600)
    route_all()
    deliver_all()
    digest = AlertGroup.objects.get(mode="digest")
    assert digest.members.get().decided.startswith("held higher_severity")
    happen(incident, "resolved", to="operational")
    route_all()
    assert "alert.digest" not in [kind for kind, _number in told(team)]


# --- What replaces a message that nobody got ----------------------------------------------------------------


def test_a_message_that_takes_over_from_another_environment_belongs_to_both() -> None:
    team = people()
    one_route(team, group_interval_seconds=0)
    secret, shop = make_incident("Secret", where="dev"), make_incident("Shop")
    route_all()
    deliver_all()
    happen(secret, "resolved", to="operational")
    route_all()
    happen(shop, "resolved", to="operational")
    route_all()
    last = Notification.objects.order_by("created_at").last()
    assert last is not None
    assert {entry["title"] for entry in last.payload["data"]["alerts"]} == {"Secret", "Shop"}
    assert last.environment_id is None
    assert last.alerts.count() == 2


def test_what_a_replaced_message_said_of_an_alert_that_is_held_now_is_not_lost() -> None:
    team = people()
    one_route(team, group_interval_seconds=0)
    make_incident("Shop")
    route_all()
    silence("Shop")
    make_incident("Stock")
    route_all()
    sent = Notification.objects.exclude(state="dropped")
    assert {entry["title"] for row in sent for entry in row.payload["data"]["alerts"]} == {"Shop", "Stock"}


def test_a_storm_card_replaces_what_still_waits_for_its_groups() -> None:
    people()
    late = make_incident("Late")
    make_incident("Hushed")
    route_all()
    silence("Hushed")
    pass_time(120)
    happen(late, "resolved", to="operational")
    for number in range(6):
        make_incident(f"Service {number}")
    route_all()
    # What said that "Late" fires would have come after the card, which says that it is over.
    states = {row.payload["data"]["alerts"][0]["title"]: row.state for row in Notification.objects.filter(sequence=1)}
    assert states["Late"] == "dropped"
    assert states["Hushed"] == "pending", "the card does not speak of it"
    card = Notification.objects.get(kind="alert.storm")
    assert card.payload["data"]["counts"] == {"firing": 6, "resolved": 1, "critical": 6, "warning": 0, "info": 0}


# --- One cause, one message ---------------------------------------------------------------------------------


def test_an_alert_that_another_route_takes_when_it_is_raised_is_told_once() -> None:
    team = people()
    for severity in ("warning", "critical"):
        matcher = {"label": "severity", "operator": "=", "value": severity}
        one_route(team, name=severity, matchers=[matcher], group_interval_seconds=0)
    rule, target = make_rule(), make_target()
    fire(rule, target, severity="warning")
    route_all()
    deliver_all()
    fire(rule, target, severity="critical")
    route_all()
    assert told(team) == [("alert.firing", 1)] * 2


def test_information_that_becomes_a_warning_leaves_the_digest() -> None:
    team = people()
    rule, target = make_rule(), make_target()
    fire(rule, target, severity="info")
    route_all()
    fire(rule, target, severity="critical")
    route_all()
    deliver_all()
    assert told(team) == [("alert.firing", 1)]
    pass_time(24 * 3_600)
    route_all()
    assert "alert.digest" not in [kind for kind, _number in told(team)]


# --- The order of things ------------------------------------------------------------------------------------


def test_events_of_an_incident_are_taken_in_their_order_whatever_their_clocks_say() -> None:
    machine = make_channel(URL)
    incident = make_incident()
    happen(incident, "acknowledged")
    happen(incident, "resolved", to="operational")
    # The batch that saw the recovery began before somebody acknowledged, and had to wait for them.
    acknowledged = incident.events.get(kind="acknowledged").at
    IncidentEvent.objects.filter(kind="resolved").update(at=acknowledged - timedelta(milliseconds=5))
    route_all()
    assert not Alert.objects.firing().exists()
    assert Alert.objects.count() == 1
    kinds = [kind for kind, _number in told(machine)]
    assert kinds == ["incident.opened", "incident.acknowledged", "incident.resolved"]


def test_no_step_is_lost_when_the_clocks_of_two_machines_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_channel(URL)
    incident = make_incident()
    happen(incident, "acknowledged")
    with pipeline_lock():
        take_incident_events(10)
    # The machine that wrote the first step is ahead: by its id it comes after the second.
    AlertEvent.objects.filter(sequence=1).update(id=UUID(int=2**128 - 1))
    monkeypatch.setattr(routing, "BATCH", 1)
    route_all()
    assert [kind for kind, _number in told(machine)] == ["incident.opened", "incident.acknowledged"]


# --- Routes that go -----------------------------------------------------------------------------------------


def test_alerts_of_groups_that_become_one_with_their_routes_all_stay() -> None:
    team = people()
    create_route(
        actor=None, name="Other", matchers=[{"label": "tag", "operator": "=", "value": "other"}], channels=[team]
    )
    top, _warnings = create_route(actor=None, name="Top", channels=[team], group_by=["environment"])
    inside, _warnings = create_route(
        actor=None,
        name="Inside",
        parent=top,
        matchers=[{"label": "target", "operator": "=", "value": "Shop"}],
        channels=[team],
    )
    first, second = make_incident("Shop"), make_incident("Stock")
    route_all()
    deliver_all()
    assert set(AlertGroup.objects.values_list("route", flat=True)) == {top.pk, inside.pk}
    delete_route(actor=None, route=top)
    for incident in (first, second):
        happen(incident, "resolved", to="operational")
    Incident.objects.update(resolved_at=clock.now())
    AlertGroup.objects.update(told_at=None)
    route_all()
    entries = [
        (entry["title"], entry["state"])
        for row in Notification.objects.exclude(state="dropped")
        for entry in row.payload["data"]["alerts"]
    ]
    assert {("Shop", "resolved"), ("Stock", "resolved")} <= set(entries)
