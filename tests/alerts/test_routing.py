"""From the outbox to notifications."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.alerts.models import Notification
from apps.alerts.routing import route_all, route_pending
from apps.catalog.models import Target
from apps.checks.models import IncidentEvent, StateChange
from apps.core import clock
from tests.alerts.world import happen, make_channel, make_incident

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/"


def test_every_event_but_a_note_becomes_a_notification_with_its_snapshot() -> None:
    make_channel(URL)
    incident = make_incident()
    for kind in ("updated", "note", "acknowledged", "resolved"):
        happen(incident, kind)
    assert route_all() == 5
    rows = list(Notification.objects.order_by("sequence").values_list("kind", "sequence", "state"))
    assert rows == [
        ("incident.opened", 1, "pending"),
        ("incident.updated", 2, "pending"),
        ("incident.acknowledged", 3, "pending"),
        ("incident.resolved", 4, "pending"),
    ]
    payload = Notification.objects.get(sequence=1).payload
    assert payload["type"] == "incident.opened"
    assert payload["data"]["incident"]["id"] == str(incident.pk)
    target = payload["data"]["target"]
    assert (target["name"], target["kind"], target["environment"]) == ("Shop", "service", "prod")
    assert target["url"].endswith(f"/targets/{incident.target_id}/")
    assert payload["data"]["change"]["evidence"] == {"expected": 200, "actual": 503}
    assert not IncidentEvent.objects.filter(routed_at__isnull=True).exists()


def test_routing_again_changes_nothing_even_when_the_mark_was_lost() -> None:
    make_channel(URL)
    make_incident()
    route_all()
    IncidentEvent.objects.update(routed_at=None)
    route_all()
    assert Notification.objects.count() == 1


def test_channels_that_are_off_deleted_or_of_another_environment_hear_nothing() -> None:
    heard = make_channel(URL, name="Everywhere")
    own = make_channel(URL, name="Own", where="prod")
    make_channel(URL, name="Other", where="dev")
    off = make_channel(URL, name="Off")
    off.enabled = False
    off.save(update_fields=["enabled"])
    deleted = make_channel(URL, name="Deleted")
    deleted.deleted_at = clock.now()
    deleted.save(update_fields=["deleted_at"])
    make_incident()
    route_all()
    assert set(Notification.objects.values_list("channel_id", flat=True)) == {heard.pk, own.pk}


def test_without_any_channel_the_outbox_is_emptied_all_the_same() -> None:
    make_incident()
    assert route_all() == 1
    assert route_all() == 0
    assert not Notification.objects.exists()


def test_an_event_shows_its_incident_as_it_stood_at_that_moment() -> None:
    make_channel(URL)
    incident = make_incident()
    incident.acknowledged_at = incident.resolved_at = clock.now()
    incident.severity, incident.resolution = "degraded", "recovered"
    incident.save()
    happen(incident, "resolved", to="operational")
    route_all()
    opened, resolved = (row.payload["data"]["incident"] for row in Notification.objects.order_by("sequence"))
    assert (opened["resolved_at"], opened["acknowledged_at"], opened["severity"]) == (None, None, "outage")
    assert (resolved["resolution"], resolved["resolved_at"] is not None) == ("recovered", True)


def test_changes_of_state_are_marked_because_nobody_subscribes_to_them() -> None:
    incident = make_incident()
    StateChange.objects.create(
        target=Target.objects.get(pk=incident.target_id),
        at=clock.now(),
        from_status="unknown",
        to_status="outage",
        reason="timeout",
    )
    route_all()
    assert not StateChange.objects.filter(routed_at__isnull=True).exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_events() -> None:
    for number in range(3):
        make_channel(URL, name=f"Channel {number}")
    counts = []
    for events in (1, 30):
        for number in range(events):
            make_incident(f"Service {events}-{number}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            route_pending(200)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 50
