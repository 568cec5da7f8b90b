"""Alerts over REST: lists, one with its story, and acknowledging."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Alert, AlertEvent, Notification
from apps.alerts.register.services import AlertConflict, acknowledge_alert, remove_old_alerts
from apps.alerts.routing import route_all
from apps.catalog.models import Environment
from apps.checks.incidents import acknowledge_incident
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.register.opening import channel_for_machines, end_alert, open_alert
from tests.alerts.world import happen, make_incident
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/alerts/"


def alert_of(incident: Incident) -> Alert:
    """The alert that the pipeline has made of it."""
    route_all()
    return Alert.objects.get(incident=incident)


def test_one_alert_tells_its_sources_its_steps_and_its_messages(viewer: User) -> None:
    channel = channel_for_machines()
    incident = make_incident("Shop")
    alert = alert_of(incident)
    told = api_client(viewer).get(f"{URL}{alert.pk}/").json()
    assert (told["state"], told["severity"], told["cause"]) == ("firing", "critical", "status")
    assert told["target"]["name"] == "Shop" and told["incident"] == str(incident.pk)
    assert told["labels"]["environment"] == "prod"
    assert [(source["kind"], source["key"]) for source in told["sources"]] == [("incident", str(incident.pk))]
    assert [(step["kind"], step["sequence"]) for step in told["timeline"]] == [("firing", 1)]
    [message] = told["notifications"]
    assert (message["channel"]["id"], message["kind"]) == (str(channel.pk), "incident.opened")


def test_the_list_narrows_by_everything_it_offers(viewer: User, operator: User) -> None:
    shop, search = make_service("Shop").target, make_service("Search", environment=_environment("dev")).target
    open_alert(shop, severity="critical")
    acknowledge_alert(alert=open_alert(shop, cause="uptime", severity="warning"), actor=operator)
    end_alert(open_alert(search, cause="certificate", severity="info"))
    open_alert(None, cause="lateness", severity="warning")
    client = api_client(viewer)

    def causes(query: str) -> list[str]:
        found = client.get(f"{URL}?{query}")
        assert found.status_code == 200, found.json()
        return [row["cause"] for row in found.json()["results"]]

    assert causes("") == ["lateness", "certificate", "uptime", "latency"], "newest first"
    assert causes("state=open") == ["lateness", "uptime", "latency"]
    assert causes("state=firing") == ["lateness", "latency"]
    assert causes("state=acknowledged") == ["uptime"]
    assert causes("state=resolved") == ["certificate"]
    assert causes("severity=warning") == ["lateness", "uptime"]
    assert causes("environment=dev") == ["certificate"]
    assert causes(f"target={shop.pk}") == ["uptime", "latency"]
    assert causes("cause=latency&state=firing") == ["latency"]
    for wrong in ("state=lost", "severity=bad", "target=x", "colour=red"):
        refused = client.get(f"{URL}?{wrong}")
        assert (refused.status_code, list(refused.json())) == (400, [wrong.partition("=")[0]])


def _environment(slug: str) -> Environment:
    return Environment.objects.get(slug=slug)


def test_an_alert_belongs_to_its_environment(production: Environment, development: Environment) -> None:
    own = open_alert(make_service(environment=development).target)
    other = open_alert(make_service(environment=production).target)
    of_portal = open_alert(None, cause="lateness")
    client = api_client(make_user(Role.OPERATOR, development))
    assert {row["id"] for row in client.get(URL).json()["results"]} == {str(own.pk), str(of_portal.pk)}
    for path in ("", "why/"):
        assert client.get(f"{URL}{other.pk}/{path}").status_code == 404
    assert client.post(f"{URL}{other.pk}/acknowledge/").status_code == 404
    assert client.post(f"{URL}{of_portal.pk}/acknowledge/").status_code == 403
    assert client.post(f"{URL}{own.pk}/acknowledge/").status_code == 200


def test_alerts_of_a_deleted_target_are_gone_with_it(viewer: User) -> None:
    target = make_service().target
    alert = open_alert(target)
    target.deleted_at = clock.now()
    target.save(update_fields=["deleted_at"])
    client = api_client(viewer)
    assert client.get(URL).json()["results"] == []
    assert client.get(f"{URL}{alert.pk}/").status_code == 404


def test_one_alert_costs_the_same_however_much_happened(viewer: User) -> None:
    channel_for_machines()
    incident = make_incident()
    alert = alert_of(incident)
    client = api_client(viewer)
    client.get(f"{URL}{alert.pk}/")
    counts = []
    for steps in (0, 10):
        for _step in range(steps):
            happen(incident, "updated")
        route_all()
        with CaptureQueriesContext(connection) as queries:
            for path in ("", "why/"):
                assert client.get(f"{URL}{alert.pk}/{path}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


# --- Acknowledging ----------------------------------------------------------------------------------------


def steps_of(alert: Alert) -> list[tuple[str, Any]]:
    return [(step.kind, step.actor) for step in alert.events.order_by("sequence")]


def test_an_alert_with_an_incident_acknowledges_the_incident(operator: User) -> None:
    incident = make_incident()
    alert = alert_of(incident)
    answer = api_client(operator).post(f"{URL}{alert.pk}/acknowledge/")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", operator.get_username())
    incident.refresh_from_db()
    assert incident.acknowledged_by == operator
    route_all()
    assert steps_of(alert) == [("firing", None), ("acknowledged", operator)], "its event came back, once"
    assert AuditEntry.objects.filter(action="acknowledge", object_type="alert", actor=operator).count() == 1


def test_an_alert_of_a_rule_is_acknowledged_by_itself(operator: User) -> None:
    alert = open_alert(make_service().target)
    client = api_client(operator)
    assert client.post(f"{URL}{alert.pk}/acknowledge/").status_code == 200
    first = client.get(f"{URL}{alert.pk}/").json()
    again = client.post(f"{URL}{alert.pk}/acknowledge/")
    assert (again.status_code, again.json()["acknowledged_at"]) == (200, first["acknowledged_at"])
    assert steps_of(alert) == [("firing", None), ("acknowledged", operator)]
    assert AuditEntry.objects.filter(action="acknowledge").count() == 1


def test_what_was_acknowledged_as_an_incident_needs_no_second_step(operator: User, administrator: User) -> None:
    incident = make_incident()
    alert = alert_of(incident)
    acknowledge_incident(incident=incident, actor=operator)
    found = acknowledge_alert(alert=alert, actor=administrator)
    assert found.acknowledged_by == operator, "who was first has it"
    route_all()
    assert steps_of(alert) == [("firing", None), ("acknowledged", operator)]


def test_an_alert_whose_incident_is_over_is_acknowledged_by_itself(operator: User) -> None:
    incident = make_incident()
    alert = alert_of(incident)
    Incident.objects.filter(pk=incident.pk).update(resolved_at=clock.now())
    assert acknowledge_alert(alert=alert, actor=operator).acknowledged_by == operator
    assert steps_of(alert)[-1] == ("acknowledged", operator)


@pytest.mark.parametrize("has_incident", [True, False])
def test_nobody_signed_in_acknowledges_through_a_channel(has_incident: bool) -> None:
    alert = alert_of(make_incident()) if has_incident else open_alert(make_service().target)
    acknowledge_alert(alert=alert, actor=None, through="Team")
    route_all()
    alert.refresh_from_db()
    assert alert.acknowledged_at is not None
    assert (alert.acknowledged_by, alert.acknowledged_through) == (None, "Team")
    entry = AuditEntry.objects.get(action="acknowledge", object_type="alert")
    assert (entry.actor, entry.changes) == (None, {"through": [None, "Team"]})


def test_what_is_resolved_is_left_alone(operator: User) -> None:
    alert = open_alert(make_service().target)
    end_alert(alert)
    answer = api_client(operator).post(f"{URL}{alert.pk}/acknowledge/")
    assert answer.status_code == 409
    assert "resolved" in answer.json()["detail"]
    with pytest.raises(AlertConflict):
        acknowledge_alert(alert=alert, actor=operator)
    assert not AlertEvent.objects.filter(kind="acknowledged").exists()


def test_a_viewer_acknowledges_nothing(viewer: User) -> None:
    alert = open_alert(make_service().target)
    assert api_client(viewer).post(f"{URL}{alert.pk}/acknowledge/").status_code == 403
    assert not Alert.objects.exclude(acknowledged_at=None).exists()


# --- The broom --------------------------------------------------------------------------------------------


def test_what_resolved_long_ago_is_removed_with_its_story() -> None:
    channel_for_machines()
    target = make_service().target
    old, kept, firing = (open_alert(target, cause=cause) for cause in ("latency", "uptime", "certificate"))
    route_all()
    for alert in (old, kept):
        end_alert(alert)
    long_ago = clock.now() - timedelta(days=100)
    Alert.objects.update(started_at=long_ago)
    Alert.objects.filter(pk=old.pk).update(resolved_at=clock.now() - timedelta(days=91))
    Alert.objects.filter(pk=kept.pk).update(resolved_at=clock.now() - timedelta(days=89))
    messages = Notification.objects.count()
    assert remove_old_alerts() == 1
    assert set(Alert.objects.values_list("pk", flat=True)) == {kept.pk, firing.pk}
    assert not AlertEvent.objects.filter(alert=old.pk).exists()
    assert Notification.objects.count() == messages, "deliveries have a time of their own"
    assert remove_old_alerts() == 0
