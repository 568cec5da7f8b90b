"""Ten thousand alerts in one tick: people get a card and then another, machines every one of them, nobody a flood."""

from __future__ import annotations

import time

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


def test_ten_thousand_alerts_at_once_are_a_card_a_minute_for_people_and_each_for_a_machine() -> None:
    team, machine = people(), make_channel("http://127.0.0.1:9/")
    break_everything()

    began = time.monotonic()
    assert route_all() == MANY
    minutes = int((time.monotonic() - began) // 60)

    assert Alert.objects.firing().count() == MANY
    assert Notification.objects.filter(channel=machine, kind="incident.opened").count() == MANY
    first = told(team)
    # A machine that is busy with other things may need longer than the minute for which a card is the last word.
    assert 1 <= len(first) <= 1 + minutes
    pass_time(61)
    route_all()
    cards = told(team)
    assert {kind for kind, _number in cards} == {"alert.storm"}
    assert len(cards) == len(first) + 1
    assert sum(number for _kind, number in cards) == MANY
    card = Notification.objects.filter(channel=team).latest("created_at").payload["data"]
    rest = MANY - sum(number for _kind, number in first)
    assert card["counts"]["firing"] == rest
    # However many there are, a message names the worst fifty and counts the rest.
    assert len(card["alerts"]) == 50
    assert card["omitted"] == rest - 50
