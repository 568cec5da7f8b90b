"""A rule and an incident on one cause, ending one after the other, and at the same moment in two processes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from apps.alerts.models import Alert, Notification
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.taking import take_incident_events
from apps.alerts.routing import route_all
from apps.catalog.models import Target
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.register.opening import channel_for_people
from tests.alerts.rules.world import become, evaluate, firing, judge_check, look_steadily, make_target, only_rule
from tests.alerts.world import happen


def open_incident(target: Target) -> Incident:
    become(target, "outage")
    judge_check(target, "outage")
    incident = Incident.objects.create(target=target, severity="outage", reason="timeout", opened_at=clock.now())
    happen(incident, "opened")
    return incident


def resolve(incident: Incident) -> None:
    incident.resolved_at, incident.resolution = clock.now(), "recovered"
    incident.save()
    happen(incident, "resolved", to="operational")


@pytest.mark.django_db
def test_a_check_that_goes_on_failing_is_not_told_as_over_and_begun_again() -> None:
    look_steadily()
    channel_for_people()
    target = make_target("Shop")
    only_rule("Checks", kind="check_failed")
    incident = open_incident(target)
    route_all()
    evaluate()
    Notification.objects.update(state="sent")
    become(target, "operational")
    resolve(incident)
    route_all()
    evaluate()
    route_all()
    assert [row.kind for row in Notification.objects.order_by("created_at")] == ["alert.firing"]
    assert Alert.objects.count() == 1
    judge_check(target, "operational")
    evaluate()
    route_all()
    assert [row.kind for row in Notification.objects.order_by("created_at")] == ["alert.firing", "alert.resolved"]


def is_somebody_waiting() -> bool:
    """Whether a session waits for an advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_what_recovered_while_an_evaluation_waited_for_its_turn_is_not_begun_again() -> None:
    look_steadily()
    target = make_target("Shop")
    only_rule("Down", kind="status", severity="critical")
    incident = open_incident(target)
    route_all()
    evaluate()
    assert firing() == [("Shop", "status", "critical")]
    done: list[Any] = []

    def judge() -> None:
        try:
            done.append(evaluate())
        finally:
            connection.close()

    other = threading.Thread(target=judge)
    with pipeline_lock():
        other.start()
        deadline = threading.Event()
        while not is_somebody_waiting() and other.is_alive():
            deadline.wait(0.02)
        become(target, "operational")
        resolve(incident)
        take_incident_events(100)
    other.join(30)
    assert done
    assert firing() == []
    assert Alert.objects.count() == 1
