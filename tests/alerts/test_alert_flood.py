"""Ten thousand alerts in one tick: people get a card and then another, machines every one of them, nobody a flood."""

from __future__ import annotations

import pytest

from apps.alerts.models import Alert, Notification
from apps.alerts.routing import route_all
from apps.catalog.models import Target, TargetStatus
from apps.checks.models import Incident, IncidentEvent
from apps.core import clock
from tests.alerts.test_pipeline import pass_time, people, told
from tests.alerts.world import environment, make_channel

pytestmark = pytest.mark.django_db

MANY = 10_000


def break_everything() -> None:
    now, prod = clock.now(), environment()
    targets = [Target(kind="service", name=f"Service {number}", environment=prod) for number in range(MANY)]
    Target.objects.bulk_create(targets)
    TargetStatus.objects.bulk_create([TargetStatus(target=target, since=now) for target in targets])
    incidents = [
        Incident(target=target, severity="outage", reason="timeout", opened_at=now, last_sequence=1)
        for target in targets
    ]
    Incident.objects.bulk_create(incidents)
    change = {"from": "operational", "to": "outage", "reason": "timeout", "evidence": {}}
    IncidentEvent.objects.bulk_create(
        [IncidentEvent(incident=incident, kind="opened", at=now, sequence=1, change=change) for incident in incidents]
    )


def test_ten_thousand_alerts_at_once_are_two_cards_for_people_and_each_for_a_machine() -> None:
    team, machine = people(), make_channel("http://127.0.0.1:9/")
    break_everything()

    assert route_all() == MANY

    assert Alert.objects.firing().count() == MANY
    assert Notification.objects.filter(channel=machine, kind="incident.opened").count() == MANY
    [(kind, first)] = told(team)
    assert kind == "alert.storm"
    pass_time(61)
    route_all()
    assert [kind for kind, _number in told(team)] == ["alert.storm", "alert.storm"]
    card = Notification.objects.filter(channel=team).latest("created_at").payload["data"]
    assert card["counts"]["firing"] == MANY - first
    # However many there are, a message names the worst fifty and counts the rest.
    assert len(card["alerts"]) == 50
    assert card["omitted"] == MANY - first - 50
