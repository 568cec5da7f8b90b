"""Rules on status: what an incident is when it opens, and one alert with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.labels import labels_of
from apps.alerts.models import Alert, Rule
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.taking import take_incident_events
from apps.alerts.ruling.services import update_rule
from apps.alerts.ruling.status_rules import StatusRules
from apps.catalog.models import Target
from apps.checks.models import Incident, IncidentEvent
from apps.core import clock
from tests.alerts.rules.world import become, evaluate, firing, judge_check, look_steadily, make_rule, make_target
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _steady() -> None:
    look_steadily()


def opinion(target: Target, status: str) -> tuple[str, int, list[str]]:
    severity, hold, rules = StatusRules.load().severity_of(labels_of([target.pk])[target.pk], status)
    return severity, hold, [name for _id, name, _severity in rules]


def test_without_a_rule_an_outage_is_critical_at_once_and_degraded_a_warning_later() -> None:
    target = make_target()
    assert opinion(target, "outage") == ("critical", 0, [])
    assert opinion(target, "degraded") == ("warning", 900, [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"severity": "info"}, ("info", 0, ["Rule"])),
        ({"severity": "warning"}, ("warning", 900, ["Rule"])),
        ({"severity": "warning", "for_seconds": 60}, ("warning", 60, ["Rule"])),
        ({"severity": "info", "config": {"statuses": ["degraded"]}}, ("critical", 0, [])),
        ({"severity": "info", "enabled": False}, ("critical", 0, [])),
        ({"severity": "info", "matchers": [{"label": "tag", "operator": "=", "value": "web"}]}, ("info", 0, ["Rule"])),
        ({"severity": "info", "matchers": [{"label": "tag", "operator": "!=", "value": "web"}]}, ("critical", 0, [])),
    ],
)
def test_a_rule_that_matches_says_otherwise(fields: dict[str, Any], expected: object) -> None:
    make_rule(kind="status", **fields)
    assert opinion(make_target(tags=["web"]), "outage") == expected


def test_a_rule_of_another_environment_has_no_opinion(production: Any, development: Any) -> None:
    make_rule(kind="status", severity="info", environment=development)
    assert opinion(make_target("Here", environment=development), "outage")[0] == "info"
    assert opinion(make_target("There", environment=production), "outage")[0] == "critical"


def test_the_worst_of_several_wins_and_of_equals_the_most_impatient() -> None:
    make_rule("A", kind="status", severity="info")
    make_rule("B", kind="status", severity="warning", for_seconds=600)
    make_rule("C", kind="status", severity="warning", for_seconds=300)
    assert opinion(make_target(), "outage") == ("warning", 300, ["A", "B", "C"])


def test_labels_name_environment_kind_target_provider_and_tags() -> None:
    provider = make_provider("Acme", tags=["ai"])
    model = make_model(provider, "gpt")
    found = labels_of([provider.pk, model.pk])
    assert found[provider.pk] == {
        "environment": "prod",
        "kind": "provider",
        "target": "Acme",
        "provider": "Acme",
        "tag": ["ai"],
    }
    assert (found[model.pk]["target"], found[model.pk]["provider"], found[model.pk]["tag"]) == ("gpt", "Acme", [])


# --- Together with incidents ------------------------------------------------------------------------------


def open_incident(target: Target) -> Incident:
    become(target, "outage")
    judge_check(target, "outage")
    incident = Incident.objects.create(target=target, severity="outage", reason="timeout", opened_at=clock.now())
    step(incident, "opened")
    return incident


def resolve(incident: Incident) -> None:
    incident.resolved_at, incident.resolution = clock.now(), "recovered"
    incident.save()
    step(incident, "resolved")


def step(incident: Incident, kind: str) -> None:
    incident.last_sequence += 1
    incident.save()
    change = {"from": "operational", "to": "outage" if kind == "opened" else "operational", "reason": "timeout"}
    IncidentEvent.objects.create(
        incident=incident, kind=kind, at=clock.now(), sequence=incident.last_sequence, change=change
    )
    with pipeline_lock():
        take_incident_events(100)


def sources() -> list[tuple[str, str]]:
    rows = Alert.objects.get().sources.filter(ended_at__isnull=True)
    return sorted(rows.values_list("kind", "name"))


def test_an_incident_and_the_rules_about_it_are_one_alert() -> None:
    target = make_target("Shop")
    make_rule("Down", kind="status", severity="critical")
    make_rule("Checks", kind="check_failed")
    incident = open_incident(target)
    assert sources() == [("incident", "Shop"), ("rule", "Down")]
    evaluate()
    assert sources() == [("incident", "Shop"), ("rule", "Checks"), ("rule", "Down")]
    assert Alert.objects.count() == 1
    become(target, "operational")
    judge_check(target, "operational")
    resolve(incident)
    evaluate()
    assert firing() == []
    assert Alert.objects.count() == 1


def test_a_rule_that_waits_stays_a_source_of_the_incidents_alert() -> None:
    target = make_target("Shop")
    rule = make_rule("Down", kind="status", severity="warning")
    open_incident(target)
    for source in Alert.objects.get().sources.all():
        source.since -= timedelta(minutes=5)
        source.save()
    evaluate()
    assert sources() == [("incident", "Shop"), ("rule", "Down")]
    update_rule(actor=None, rule=rule, enabled=False)
    evaluate()
    assert sources() == [("incident", "Shop")]


def test_a_check_that_goes_on_failing_outlives_the_incident() -> None:
    target = make_target("Shop")
    make_rule("Checks", kind="check_failed")
    incident = open_incident(target)
    evaluate()
    resolve(incident)
    evaluate()
    assert firing() == [("Shop", "status", "critical")]
    judge_check(target, "operational")
    evaluate()
    assert firing() == []


def test_default_rules_leave_an_incident_alone() -> None:
    open_incident(make_target("Shop"))
    evaluate()
    assert sources() == [("incident", "Shop")]
    assert Rule.objects.filter(enabled=True).exists()
