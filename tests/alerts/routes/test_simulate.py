"""Who would be told: the path through the tree, the channels with their times, and what would hold it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Alert, Route
from apps.alerts.routes.services import create_route
from apps.alerts.silences.services import create_silence
from apps.catalog.models import Environment, Target, TargetStatus
from apps.checks.models import Incident
from apps.core import clock
from tests.alerts.register.opening import channel_for_machines, channel_for_people, open_alert
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/routes/simulate/"
NIGHT = [{"days": list(range(7)), "start": "22:00", "end": "07:00"}]
AT_NIGHT = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
AT_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def equals(label: str, value: str) -> list[dict[str, str]]:
    return [{"label": label, "operator": "=", "value": value}]


def make(name: str, **fields: Any) -> Route:
    return create_route(actor=None, name=name, **fields)[0]


def ask(person: User, **question: Any) -> dict[str, Any]:
    answer = api_client(person).post(URL, question, format="json")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_the_path_says_of_every_route_why_it_did_or_did_not_take_it(viewer: User) -> None:
    target = make_service("Checkout", tags=["shop"]).target
    team, pager = channel_for_people("Team"), channel_for_machines("Pager")
    search = make("Search", matchers=equals("tag", "search"), channels=[team])
    shop = make("Shop", matchers=equals("tag", "shop"), channels=[team], group_by=["tag"], group_wait_seconds=30)
    make("Critical", parent=shop, matchers=equals("severity", "critical"), channels=[pager, team])
    make("Rest", channels=[team])
    told = ask(viewer, target=str(target.pk), severity="critical")
    path = [(step["route"] and step["route"]["name"], step["depth"], step["matched"]) for step in told["path"]]
    assert path == [
        (None, 0, True),
        ("Search", 1, False),
        ("Shop", 1, True),
        ("Critical", 2, True),
        ("Rest", 1, False),
    ]
    assert [step["route"]["name"] for step in told["path"] if step["taken"]] == ["Critical"]
    assert all(step["sentence"] for step in told["path"])
    assert told["path"][1]["route"]["id"] == str(search.pk)
    heard = {entry["channel"]["name"]: entry for entry in told["channels"]}
    assert set(heard) == {"Pager", "Team"}
    assert (heard["Pager"]["mode"], heard["Team"]["mode"]) == ("each", "group")
    assert (heard["Team"]["group_by"], heard["Team"]["group_wait_seconds"]) == (["tag"], 30)
    assert heard["Team"]["group_interval_seconds"] > 0 and heard["Team"]["repeat_interval_seconds"] > 0
    assert told["labels"]["severity"] == "critical" and told["labels"]["tag"] == ["shop"]
    warned = ask(viewer, target=str(target.pk), severity="warning")
    assert [(entry["channel"]["name"], entry["route"]["name"]) for entry in warned["channels"]] == [("Team", "Shop")]


def test_channels_in_no_route_hear_through_the_implicit_root(viewer: User) -> None:
    channel_for_machines("Pager")
    channel_for_machines("Off", enabled=False)
    told = ask(viewer, target=str(make_service().pk))
    assert [(entry["channel"]["name"], entry["route"]) for entry in told["channels"]] == [("Pager", None)]
    assert told["severity"] == "critical"


def test_people_hear_critical_at_once_warnings_later_and_info_in_the_digest(viewer: User) -> None:
    channel_for_people(time_zone="Asia/Seoul")
    target = str(make_service().pk)

    def first(severity: str) -> tuple[str, datetime]:
        [entry] = ask(viewer, target=target, severity=severity, at=AT_NOON.isoformat())["channels"]
        return entry["mode"], datetime.fromisoformat(entry["first_message_at"])

    assert first("critical") == ("group", AT_NOON)
    assert first("warning") == ("group", AT_NOON + timedelta(minutes=15))
    assert first("info") == ("digest", datetime(2026, 3, 3, 0, 0, tzinfo=UTC)), "nine in the morning in Seoul"


def test_routes_with_hours_are_asked_at_the_moment_in_question(viewer: User) -> None:
    team = channel_for_people("Team")
    make("Night", active_times=NIGHT, channels=[channel_for_people("Night watch")])
    make("Day", channels=[team])
    target = str(make_service().pk)
    for at, name in ((AT_NIGHT, "Night watch"), (AT_NOON, "Team")):
        told = ask(viewer, target=target, at=at.isoformat())
        assert [entry["channel"]["name"] for entry in told["channels"]] == [name]


def test_labels_alone_ask_too_and_win_over_those_of_a_target(viewer: User) -> None:
    make("Certificates", matchers=equals("cause", "certificate"), channels=[channel_for_people()])
    only = ask(viewer, labels={"cause": "certificate", "severity": "warning", "environment": "prod"})
    assert (only["severity"], [entry["route"]["name"] for entry in only["channels"]]) == ("warning", ["Certificates"])
    both = ask(viewer, target=str(make_service().pk), labels={"cause": "certificate"})
    assert [entry["route"]["name"] for entry in both["channels"]] == ["Certificates"]


def test_it_can_be_asked_by_address(viewer: User) -> None:
    channel_for_machines()
    target = make_service()
    client = api_client(viewer)
    answer = client.get(URL, {"target": str(target.pk), "severity": "warning"})
    assert answer.status_code == 200
    assert answer.json()["severity"] == "warning"
    wrong = client.get(URL, {"target": str(target.pk), "colour": "red"})
    assert (wrong.status_code, list(wrong.json())) == (400, ["colour"])


# --- What would hold it -----------------------------------------------------------------------------------


def holds(person: User, **question: Any) -> list[tuple[str, str, str | None]]:
    found = ask(person, **question)["holds"]
    assert all(hold["sentence"] for hold in found)
    return [(hold["stage"], hold["reason"], hold["channel"] and hold["channel"]["name"]) for hold in found]


def test_nothing_holds_what_is_well_routed(viewer: User) -> None:
    channel_for_people()
    assert holds(viewer, target=str(make_service().pk)) == []


def test_a_silence_quiet_hours_and_maintenance_are_named(viewer: User) -> None:
    target = make_service("Checkout").target
    channel_for_people("Team", quiet_hours=NIGHT)
    channel_for_machines("Pager")
    ends = clock.now() + timedelta(hours=1)
    create_silence(
        actor=None, matchers=equals("target", "Checkout"), starts_at=None, ends_at=ends, comment="Being moved"
    )
    hushed = ask(viewer, target=str(target.pk))["holds"]
    assert [(hold["reason"], datetime.fromisoformat(hold["until"])) for hold in hushed] == [("silenced", ends)]
    quiet = holds(viewer, target=str(target.pk), severity="warning", at=AT_NIGHT.isoformat())
    assert quiet == [("quiet_hours", "quiet_hours", "Team")]
    assert holds(viewer, target=str(target.pk), severity="critical", at=AT_NIGHT.isoformat()) == []
    TargetStatus.objects.filter(target=target).update(status="maintenance")
    assert holds(viewer, target=str(target.pk), at=AT_NOON.isoformat()) == [("maintenance", "in_maintenance", None)]


def test_a_parent_that_is_down_and_a_worse_alert_are_named(viewer: User) -> None:
    channel_for_people()
    parent, child = make_service("Database").target, make_service("Shop").target
    Target.depends_on.through.objects.create(from_target=child, to_target=parent)
    Incident.objects.create(target=parent, severity="outage", reason="timeout", opened_at=clock.now())
    [hold] = ask(viewer, target=str(child.pk))["holds"]
    assert (hold["reason"], "Database" in hold["sentence"]) == ("parent_down", True)
    open_alert(parent, severity="critical")
    assert holds(viewer, target=str(parent.pk), severity="warning") == [("inhibit", "higher_severity", None)]


# --- Who may ask, and what ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({}, "target"),
        ({"target": "0190e7a0-0000-7000-8000-000000000000"}, "target"),
        ({"target": "Shop"}, "target"),
        ({"labels": {"colour": "red"}}, "labels.colour"),
        ({"labels": "tag=shop"}, "labels"),
        ({"labels": {"tag": 5}}, "labels.tag"),
        ({"labels": {"environment": "moon"}}, "labels.environment"),
        ({"labels": {"severity": "bad"}}, "labels.severity"),
        ({"labels": {"tag": "shop"}, "severity": "bad"}, "severity"),
        ({"labels": {"tag": "shop"}, "at": "tomorrow"}, "at"),
        ({"labels": {"tag": "shop"}, "at": "9999-12-31T23:59:59Z"}, "at"),
        ({"labels": {"tag": "shop"}, "at": "0001-01-01T00:00:00Z"}, "at"),
        ({"labels": {"tag": "shop"}, "colour": "red"}, "colour"),
    ],
)
def test_a_question_that_means_nothing_is_refused_by_field(viewer: User, question: Any, field: str) -> None:
    answer = api_client(viewer).post(URL, question, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_nobody_asks_about_what_they_may_not_see(development: Environment, production: Environment) -> None:
    target = make_service(environment=production)
    channel_for_machines("Prod", production)
    channel_for_machines("Dev", development)
    charlie = make_user(Role.VIEWER, development)
    refused = api_client(charlie).post(URL, {"target": str(target.pk)})
    assert (refused.status_code, list(refused.json())) == (400, ["target"])
    elsewhere = api_client(charlie).post(URL, {"labels": {"environment": "prod"}}, format="json")
    assert elsewhere.status_code == 400
    own = ask(charlie, labels={"environment": "dev"})
    assert [entry["channel"]["name"] for entry in own["channels"]] == ["Dev"]
    assert api_client().post(URL, {}).status_code == 401
    assert api_client(make_user(None)).post(URL, {}).status_code == 403


def test_asking_leaves_nothing_behind_and_costs_the_same_at_any_size(viewer: User) -> None:
    target = make_service(tags=["shop"])
    client = api_client(viewer)
    client.post(URL, {"target": str(target.pk)})
    counts = []
    for size in (1, 30):
        for number in range(size):
            make(f"R {size}-{number}", channels=[channel_for_people(f"C {size}-{number}", quiet_hours=NIGHT)])
        written = AuditEntry.objects.count()
        with CaptureQueriesContext(connection) as queries:
            assert client.post(URL, {"target": str(target.pk)}).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15
    assert AuditEntry.objects.count() == written
    assert not Alert.objects.exists()
