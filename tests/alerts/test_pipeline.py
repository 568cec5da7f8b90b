"""From incidents and rules to what each channel is told, over the real database. Clocks are moved, not waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.alerts.models import (
    Alert,
    AlertDecision,
    AlertGroup,
    AlertSource,
    Channel,
    GroupMember,
    Notification,
    Route,
    Rule,
    Silence,
)
from apps.alerts.pipeline.enrolment import remove_empty_groups
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.sources import SourceChange, apply_changes, end_sources, fingerprint
from apps.alerts.routing import route_all
from apps.alerts.selectors import has_waiting
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.world import environment, happen, make_channel, make_incident

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/"


def people(name: str = "Team", **fields: Any) -> Channel:
    """A channel for people: groups, holds, reminders and storms are for them."""
    return Channel.objects.create(
        name=name, kind="webhook", config={"url": URL, "secret": "", "grouped": True}, **fields
    )


def told(channel: Channel | None = None) -> list[tuple[str, int]]:
    """Type and number of alerts of every message, oldest first, without those a newer one replaced."""
    rows = Notification.objects.exclude(state=Notification.State.DROPPED).order_by("created_at", "id")
    rows = rows.filter(channel=channel) if channel else rows
    return [(row.kind, row.alerts.count()) for row in rows]


def pass_time(seconds: float) -> None:
    """As if that much time had gone by since everything that happened."""
    with connection.cursor() as cursor:
        for table, columns in {
            "alerts_alert": ("started_at", "resolved_at", "acknowledged_at"),
            "alerts_alertgroup": ("due_at", "flushed_at", "told_at"),
            "alerts_notification": ("created_at", "not_before"),
            "alerts_silence": ("starts_at", "ends_at"),
        }.items():
            cursor.execute(
                f"UPDATE {table} SET "
                + ", ".join(f"{column} = {column} - make_interval(secs => %s)" for column in columns),
                [seconds] * len(columns),
            )


def fire(rule: Rule, target: Any = None, severity: str = "critical", **fields: Any) -> None:
    cause = fields.pop("cause", "latency")
    with pipeline_lock():
        apply_changes(
            [
                SourceChange(
                    fingerprint=fingerprint(target.pk if target else None, cause),
                    cause=cause,
                    kind="rule",
                    key=str(rule.pk),
                    name=rule.name,
                    rule=rule.pk,
                    severity=severity,
                    at=clock.now(),
                    environment=target.environment_id if target else None,
                    target=target.pk if target else None,
                    labels={"target": target.name if target else "", "kind": "service", "environment": "prod"},
                    **fields,
                )
            ]
        )


def end(rule: Rule) -> None:
    with pipeline_lock():
        end_sources("rule", [str(rule.pk)], clock.now())


def make_rule(name: str = "Slow") -> Rule:
    return Rule.objects.create(name=name, kind="latency", critical_level=2_000)


def test_people_hear_of_an_outage_at_once_and_of_its_end() -> None:
    people()
    incident = make_incident()
    route_all()
    assert told() == [("alert.firing", 1)]
    happen(incident, "resolved", to="operational")
    Notification.objects.update(state=Notification.State.SENT)
    route_all()
    assert told() == [("alert.firing", 1), ("alert.resolved", 1)]
    assert not AlertGroup.objects.exists()


def test_people_hear_of_a_degradation_after_a_quarter_of_an_hour_and_a_machine_at_once() -> None:
    team, machine = people(), make_channel(URL)
    incident = make_incident()
    incident.severity = "degraded"
    incident.save()
    incident.events.update(change={"to": "degraded", "reason": "slow_response"})
    route_all()
    assert told(team) == []
    assert told(machine) == [("incident.opened", 1)]
    assert AlertDecision.objects.get(channel=team).reason == "too_soon"
    pass_time(901)
    route_all()
    assert told(team) == [("alert.firing", 1)]


def test_what_is_over_before_it_was_told_is_never_told() -> None:
    team = people()
    incident = make_incident()
    incident.severity = "degraded"
    incident.save()
    incident.events.update(change={"to": "degraded", "reason": "slow_response"})
    route_all()
    happen(incident, "resolved", to="operational")
    route_all()
    pass_time(901)
    route_all()
    assert told(team) == []
    assert list(AlertDecision.objects.order_by("id").values_list("reason", flat=True)) == ["too_soon", "never_told"]


def test_two_rules_and_an_incident_on_one_cause_are_one_alert_with_all_its_sources() -> None:
    people()
    incident = make_incident()
    route_all()
    fire(make_rule("First"), incident.target, cause="status")
    fire(make_rule("Second"), incident.target, cause="status")
    route_all()
    alert = Alert.objects.get()
    assert set(alert.sources.values_list("kind", "name")) == {
        ("incident", "Shop"), ("rule", "First"), ("rule", "Second"),
    }  # fmt: skip
    assert alert.labels["rule"] == ["First", "Second"]
    assert told() == [("alert.firing", 1)]


def test_an_alert_ends_when_the_last_rule_that_fired_it_ends() -> None:
    machine = make_channel(URL)
    first, second = make_rule("First"), make_rule("Second")
    target = make_incident("Other").target
    Incident.objects.all().delete()
    fire(first, target)
    fire(second, target, severity="warning")
    end(first)
    alert = Alert.objects.get()
    assert (alert.severity, alert.is_firing) == ("warning", True)
    end(second)
    route_all()
    assert not Alert.objects.firing().exists()
    assert told(machine) == [("alert.firing", 1), ("alert.resolved", 1)]
    payload = Notification.objects.get(kind="alert.firing").payload
    assert payload["data"]["alert"]["rule"] == "First"


def test_a_silence_holds_and_what_still_fires_is_told_when_it_ends() -> None:
    team, machine = people(), make_channel(URL)
    silence = Silence.objects.create(
        matchers=[{"label": "target", "operator": "=", "value": "Shop"}],
        starts_at=clock.now() - timedelta(minutes=1),
        ends_at=clock.now() + timedelta(hours=1),
        comment="moving",
    )
    make_incident("Shop")
    make_incident("Stock")
    route_all()
    assert told(team) == told_types(team) == [("alert.firing", 1)]
    assert told(machine) == [("incident.opened", 1)]
    held = AlertDecision.objects.filter(reason="silenced")
    assert {row.detail["silence"] for row in held} == {str(silence.pk)}
    pass_time(3_601)
    route_all()
    assert len(told(team)) == 2
    assert told(machine) == [("incident.opened", 1)] * 2


def told_of(channel: Channel, incident: Incident) -> int:
    return Notification.objects.filter(channel=channel, alerts__target=incident.target_id).count()


def told_types(channel: Channel) -> list[tuple[str, int]]:
    return [(kind, 1) for kind, _number in told(channel)]


def test_a_parent_in_outage_holds_its_children_until_it_is_back() -> None:
    team = people()
    parent = make_incident("Database")
    child = make_incident("Shop")
    child.target.depends_on.add(parent.target)
    route_all()
    assert [row.alerts.get().target_id for row in Notification.objects.filter(channel=team)] == [parent.target_id]
    assert AlertDecision.objects.get(alert__target=child.target).reason == "parent_down"
    happen(parent, "resolved", to="operational")
    parent.resolved_at = clock.now()
    parent.save()
    status = parent.target.status_row
    status.status, status.last_result_at = "operational", clock.now()
    status.save()
    Notification.objects.update(state=Notification.State.SENT)
    route_all()
    assert sorted(kind for kind, _number in told(team)[1:]) == ["alert.firing", "alert.resolved"]
    assert told_of(team, child) == 1


def test_a_route_groups_what_belongs_together_and_waits_for_company() -> None:
    team, other = people(), people("Other")
    route = Route.objects.create(
        name="Production",
        matchers=[{"label": "environment", "operator": "=", "value": "prod"}],
        group_by=["environment"],
        group_wait_seconds=30,
        group_interval_seconds=300,
    )
    route.channels.add(team)
    for name in ("Shop", "Stock", "Mail"):
        make_incident(name)
    make_incident("Test", where="dev")
    route_all()
    assert told(team) == []
    assert len(told(other)) == 4  # in no route: everything, at once
    pass_time(31)
    route_all()
    assert told(team) == [("alert.firing", 3)]
    Notification.objects.update(state=Notification.State.SENT)
    make_incident("Late")
    route_all()
    assert len(told(team)) == 1
    pass_time(300)
    route_all()
    assert told(team) == [("alert.firing", 3), ("alert.firing", 4)]


def test_an_alert_no_channel_is_there_for_says_so() -> None:
    make_incident()
    route_all()
    decision = AlertDecision.objects.get()
    assert (decision.channel, decision.reason) == (None, "no_channel")


def test_reminders_come_until_somebody_has_it() -> None:
    team = people()
    incident = make_incident()
    route_all()
    Notification.objects.update(state=Notification.State.SENT)
    pass_time(4 * 3_600)
    route_all()
    assert told(team) == [("alert.firing", 1), ("alert.reminder", 1)]
    incident.acknowledged_at = clock.now()
    incident.save()
    happen(incident, "acknowledged")
    Notification.objects.update(state=Notification.State.SENT)
    route_all()
    assert told(team)[-1] == ("alert.acknowledged", 1)
    pass_time(8 * 3_600)
    route_all()
    assert len(told(team)) == 3


def test_forty_targets_at_once_are_one_storm_card_and_a_machine_is_told_of_each() -> None:
    team, machine = people(), make_channel(URL)
    for number in range(40):
        make_incident(f"Service {number}")
    route_all()
    assert told(team) == [("alert.storm", 40)]
    assert len(told(machine)) == 40
    payload = Notification.objects.get(channel=team).payload["data"]
    assert (payload["counts"]["firing"], payload["counts"]["critical"]) == (40, 40)
    make_incident("One more")
    route_all()
    assert len(told(team)) == 1
    pass_time(61)
    route_all()
    assert len(told(team)) == 2


def test_a_message_nobody_got_is_replaced_by_the_newer_one_and_what_it_said_was_over_is_kept() -> None:
    team = people()
    route = Route.objects.create(name="All", group_by=[], group_wait_seconds=0, group_interval_seconds=0)
    route.channels.add(team)
    first, second = make_incident("Shop"), make_incident("Stock")
    route_all()
    Notification.objects.update(state=Notification.State.SENT)
    happen(first, "resolved", to="operational")
    route_all()
    happen(second, "resolved", to="operational")
    route_all()
    last = Notification.objects.order_by("created_at").last()
    assert last is not None
    assert Notification.objects.filter(state=Notification.State.DROPPED, reason="superseded").count() == 1
    assert {(entry["title"], entry["state"]) for entry in last.payload["data"]["alerts"]} == {
        ("Shop", "resolved"), ("Stock", "resolved"),
    }  # fmt: skip


def test_information_goes_into_the_digest_of_the_next_morning() -> None:
    team = people()
    rule = make_rule()
    fire(rule, make_target(), severity="info")
    route_all()
    assert told(team) == []
    group = AlertGroup.objects.get()
    assert (group.mode, group.due_at.astimezone().hour if group.due_at else None) == ("digest", 9)
    pass_time(24 * 3_600)
    route_all()
    assert told(team) == [("alert.digest", 1)]


def make_target() -> Any:
    target = make_incident("Numbers").target
    Incident.objects.filter(target=target).delete()
    return target


def test_quiet_hours_hold_a_warning_and_let_what_is_critical_through() -> None:
    always = [{"days": list(range(7)), "start": "00:00", "end": "23:59"}]
    team = people(quiet_hours=always)
    target = make_target()
    fire(make_rule("Warned"), target, severity="warning", cause="latency")
    fire(make_rule("Bad"), make_incident("Shop").target, severity="critical", cause="uptime")
    with clock.frozen(clock.now()):
        route_all()
    reasons = set(AlertDecision.objects.filter(channel=team).values_list("reason", flat=True))
    assert "told" in reasons
    assert AlertDecision.objects.filter(alert__target=target, reason="quiet_hours").exists() or is_last_minute()


def is_last_minute() -> bool:
    """The one minute of the day that is not quiet in the test above."""
    now = clock.now()
    return (now.hour, now.minute) == (23, 59)


def test_a_channel_is_not_told_through_itself_that_it_is_broken() -> None:
    broken, other = people("Broken"), people("Other", environment=environment("dev"))
    with pipeline_lock():
        apply_changes(
            [
                SourceChange(
                    fingerprint=f"channel:{broken.pk}", cause="channel", kind="portal", key=str(broken.pk),
                    name="Broken", severity="critical", at=clock.now(), labels={"channel": str(broken.pk)},
                )
            ]
        )  # fmt: skip
    route_all()
    assert told(broken) == []
    assert told(other) == [("alert.firing", 1)]


def test_taking_an_event_twice_makes_one_step_of_one_alert() -> None:
    incident = make_incident()
    happen(incident, "resolved", to="operational")
    route_all()
    incident.events.update(routed_at=None)
    route_all()
    assert Alert.objects.count() == 1
    assert Alert.objects.get().events.count() == 2
    assert AlertSource.objects.count() == 1


def test_members_leave_when_their_alert_is_over() -> None:
    make_channel(URL)
    people()
    for number in range(3):
        happen(make_incident(f"Service {number}"), "resolved", to="operational")
    route_all()
    assert not GroupMember.objects.exists()
    assert not AlertGroup.objects.exists()


def alert_of(target: UUID) -> Alert:
    return Alert.objects.get(target=target)


def test_a_critical_alert_holds_the_warning_of_the_same_target() -> None:
    team = people()
    incident = make_incident()
    route_all()
    fire(make_rule(), incident.target, severity="warning")
    route_all()
    assert told(team) == [("alert.firing", 1)]
    warning = Alert.objects.get(cause="latency")
    assert warning.decisions.get().reason == "higher_severity"
    happen(incident, "resolved", to="operational")
    Notification.objects.update(state=Notification.State.SENT)
    route_all()
    assert [kind for kind, _number in told(team)] == ["alert.firing", "alert.resolved", "alert.firing"]


def test_a_channel_that_joins_late_hears_from_then_on() -> None:
    incident = make_incident()
    route_all()
    make_channel(URL)
    happen(incident, "acknowledged")
    route_all()
    assert told() == [("incident.acknowledged", 1)]


def test_the_environment_of_a_channel_limits_what_it_hears() -> None:
    team = people(environment=environment("dev"))
    make_incident()
    route_all()
    assert told(team) == []


def test_a_channel_that_was_off_hears_of_what_still_fires_when_it_is_on_again() -> None:
    team = people()
    incident = make_incident()
    incident.severity = "degraded"
    incident.save()
    incident.events.update(change={"to": "degraded", "reason": "slow_response"})
    route_all()
    Channel.objects.update(enabled=False)
    pass_time(901)
    route_all()
    assert not has_waiting()
    assert told(team) == []
    Channel.objects.update(enabled=True)
    assert has_waiting()
    route_all()
    assert told(team) == [("alert.firing", 1)]


def test_a_group_whose_alerts_are_gone_goes_with_the_broom() -> None:
    people()
    make_incident()
    route_all()
    Alert.objects.all().delete()
    assert AlertGroup.objects.count() == 1
    assert remove_empty_groups() == 1
    assert not AlertGroup.objects.exists()
