"""Rules over REST: making, editing, removing, and what comes back for a mistake."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import RULE_KINDS
from apps.catalog.models import Environment
from tests.alerts.rules.world import evaluate, look_steadily, make_rule, make_target, measure
from tests.factories import api_client, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/rules/"
SLOW: dict[str, Any] = {"name": "Slow", "kind": "latency", "critical_level": 2_000}
DOWN: dict[str, Any] = {"name": "Down", "kind": "status", "config": {"statuses": ["outage"]}}


def test_a_rule_is_made_read_edited_and_removed(operator: User) -> None:
    client = api_client(operator)
    made = client.post(URL, {**SLOW, "environment": "prod", "warning_level": 1_000}, format="json")
    assert made.status_code == 201, made.json()
    body = made.json()
    assert body["config"] == {"percentile": "p95", "window_seconds": 300, "check_kinds": []}
    assert (body["operator"], body["no_data"], body["environment"]) == (">", "keep", "prod")
    url = f"{URL}{body['id']}/"
    assert client.get(url).json()["critical_level"] == 2_000
    edited = client.patch(url, {"recovery_margin": 50, "matchers": []}, format="json")
    assert edited.json()["recovery_margin"] == 50
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    actions = AuditEntry.objects.filter(object_type="rule", actor=operator).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["create", "update", "delete"]


def test_what_was_read_may_be_sent_back(operator: User) -> None:
    client = api_client(operator)
    url = f"{URL}{make_rule(kind='status', name='Down').pk}/"
    assert client.patch(url, client.get(url).json(), format="json").status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"kind": "weather"}, "kind"),
        ({"kind": None}, "kind"),
        ({"config": []}, "config"),
        ({"config": {"colour": "red"}}, "config.colour"),
        ({"config": {"window_seconds": 1}}, "config.window_seconds"),
        ({"config": {"percentile": "p96"}}, "config.percentile"),
        ({"config": {"check_kinds": ["heartbeat"]}}, "config.check_kinds"),
        ({"config": {"check_kinds": ["vendor_status"]}}, "config.check_kinds"),
        ({"matchers": {}}, "matchers"),
        ({"matchers": [{"label": "tag", "operator": "=~", "value": "("}]}, "matchers.0.value"),
        ({"matchers": [{"label": "severity", "operator": "=", "value": "critical"}]}, "matchers.0.label"),
        ({"operator": "="}, "operator"),
        ({"no_data": "panic"}, "no_data"),
        ({"severity": "critical"}, "severity"),
        ({"severity": "bad"}, "severity"),
        ({"critical_level": None}, "critical_level"),
        ({"critical_level": "much"}, "critical_level"),
        ({"critical_level": 1e300}, "critical_level"),
        ({"warning_level": 2_000}, "critical_level"),
        ({"warning_level": 3_000}, "critical_level"),
        ({"warning_level": 1_000, "operator": "<"}, "critical_level"),
        ({"recovery_margin": -1}, "recovery_margin"),
        ({"for_seconds": -1}, "for_seconds"),
        ({"for_seconds": 10**9}, "for_seconds"),
        ({"environment": "nowhere"}, "environment"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_told_by_field(operator: User, change: dict[str, Any], field: str) -> None:
    answer = api_client(operator).post(URL, {**SLOW, **change}, format="json")
    assert answer.status_code == 400
    assert field in answer.json(), answer.json()
    assert not Rule.objects.filter(seed="").exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**DOWN, "critical_level": 1}, "critical_level"),
        ({**DOWN, "config": {"statuses": []}}, "config.statuses"),
        ({**DOWN, "config": {"statuses": ["broken"]}}, "config.statuses"),
        ({"name": "Parts", "kind": "check_failed", "config": {"portal_parts": ["moon"]}}, "config.portal_parts"),
        ({"name": "Late", "kind": "lateness", "critical_level": 1, "environment": "prod"}, "environment"),
        (
            {
                "name": "Late",
                "kind": "lateness",
                "critical_level": 1,
                "matchers": [{"label": "tag", "operator": "=", "value": "a"}],
            },
            "matchers",
        ),
    ],
)
def test_each_kind_has_its_own_mistakes(operator: User, body: dict[str, Any], field: str) -> None:
    answer = api_client(operator).post(URL, body, format="json")
    assert answer.status_code == 400
    assert field in answer.json(), answer.json()


def test_a_name_is_taken_once_whatever_its_case(operator: User) -> None:
    client = api_client(operator)
    make_rule("Slow")
    assert client.post(URL, {**SLOW, "name": "SLOW"}, format="json").json().keys() == {"name"}
    other = make_rule("Other")
    assert client.patch(f"{URL}{other.pk}/", {"name": "slow"}, format="json").status_code == 400


def test_the_kind_stays(operator: User) -> None:
    answer = api_client(operator).patch(f"{URL}{make_rule().pk}/", {"kind": "uptime"}, format="json")
    assert answer.status_code == 400
    assert "kind" in answer.json()


def test_an_operator_of_one_environment_writes_its_rules_and_reads_those_of_all(
    production: Environment, development: Environment
) -> None:
    client = api_client(make_user("operator", development))
    shared = make_rule("Shared")
    elsewhere = make_rule("Elsewhere", environment=production)
    assert client.get(f"{URL}{shared.pk}/").status_code == 200
    assert client.patch(f"{URL}{shared.pk}/", {"enabled": False}, format="json").status_code == 403
    assert client.get(f"{URL}{elsewhere.pk}/").status_code == 404
    assert client.post(URL, SLOW, format="json").status_code == 403
    made = client.post(URL, {**SLOW, "environment": "dev"}, format="json")
    assert made.status_code == 201
    moved = client.patch(f"{URL}{made.json()['id']}/", {"environment": None}, format="json")
    assert moved.status_code == 403


def test_a_rule_counts_only_targets_the_reader_may_see(
    operator: User, production: Environment, development: Environment
) -> None:
    look_steadily()
    for name, environment in (("Here", development), ("There", production)):
        measure(make_target(name, environment=environment), 3_000)
    rule = make_rule()
    evaluate()
    counts = [
        api_client(person).get(f"{URL}{rule.pk}/").json()["firing"]
        for person in (operator, make_user("viewer", development))
    ]
    assert counts == [2, 1]


def test_the_list_is_filtered(operator: User) -> None:
    client = api_client(operator)
    make_rule("Slow")
    make_rule("Down", kind="status")

    def names(query: str) -> list[str]:
        return [row["name"] for row in client.get(f"{URL}?{query}").json()["results"]]

    assert names("kind=status") == ["Down"]
    assert names("search=slo") == ["Slow", "Slow response"]
    assert names("enabled=false") == []


def test_every_kind_is_described(viewer: User) -> None:
    found = api_client(viewer).get("/api/v1/rule-kinds/").json()
    assert [entry["kind"] for entry in found] == RULE_KINDS.names()
    latency = next(entry for entry in found if entry["kind"] == "latency")
    assert latency["unit"] == "ms"
    assert latency["has_levels"] is True
    assert latency["schema"]["properties"]["percentile"]["enum"] == ["p50", "p75", "p90", "p95", "p99"]


@pytest.mark.parametrize("stored", [7, [{"label": "provider", "operator": "=", "value": ""}]])
def test_a_rule_that_would_be_refused_today_can_be_switched_off_all_the_same(admin_user: User, stored: object) -> None:
    rule = Rule.objects.filter(deleted_at__isnull=True)[0]
    Rule.objects.filter(pk=rule.pk).update(matchers=stored, enabled=True)
    client = api_client(admin_user)
    answer = client.patch(f"/api/v1/rules/{rule.pk}/", {"enabled": False}, format="json")
    assert (answer.status_code, Rule.objects.get(pk=rule.pk).enabled) == (200, False), answer.json()
    assert client.patch(f"/api/v1/rules/{rule.pk}/", {"enabled": True}, format="json").status_code == 400
    page = Client()
    page.force_login(admin_user)
    for wanted in ("yes", "no"):
        assert page.post(f"{rule.get_absolute_url()}switch/", {"enabled": wanted}).status_code == 302
    assert Rule.objects.get(pk=rule.pk).enabled is False
