"""What a rule would have sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.alerts.models import Rule
from apps.catalog.models import Environment, Target
from tests.alerts.rules.world import MINUTE, become, make_rule, make_target, measure
from tests.factories import api_client, make_check, make_service, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
URL = "/api/v1/rules/backtest/"


def look_back(person: User, **body: Any) -> dict[str, Any]:
    answer = api_client(person).post(URL, body, format="json")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def down(target: Target, begin: timedelta, end: timedelta) -> None:
    become(target, "outage", ago=begin)
    become(target, "operational", "ok", ago=end)


def test_three_outages_are_three_messages_newest_first(operator: User) -> None:
    target = make_target("Shop")
    for hours in (90, 50, 10):
        down(target, hours * HOUR, (hours - 1) * HOUR)
    down(make_target("Earlier"), 200 * HOUR, 199 * HOUR)
    found = look_back(operator, kind="status", config={"statuses": ["outage"]})
    assert found["count"] == 3
    assert [entry["lasted_seconds"] for entry in found["messages"]] == [pytest.approx(3_600, abs=1)] * 3
    assert [entry["at"] for entry in found["messages"]] == sorted((e["at"] for e in found["messages"]), reverse=True)
    assert found["messages"][0]["target"] == {"id": str(target.pk), "name": "Shop", "provider": None}
    assert found["messages"][0]["severity"] == "critical"
    assert look_back(operator, kind="status", days=1)["count"] == 1
    assert look_back(operator, kind="status", days=30)["count"] == 4
    assert not Rule.objects.filter(seed="").exists()


def test_the_time_a_level_must_hold_counts(operator: User) -> None:
    target = make_target("Shop")
    down(target, 10 * HOUR, 9 * HOUR)
    down(target, 5 * HOUR, 5 * HOUR - 10 * MINUTE)
    assert look_back(operator, kind="status", severity="warning")["count"] == 1
    assert look_back(operator, kind="status", severity="warning", for_seconds=0)["count"] == 2


def test_a_failed_check_is_found_by_the_check_that_caused_the_outage(operator: User) -> None:
    web, data = make_target("Web"), make_service("Data").target
    make_check(data, kind="postgres", config={"host": "127.0.0.1", "database": "d", "user": "u"})
    for target in (web, data):
        down(target, 3 * HOUR, 2 * HOUR)
    found = look_back(operator, kind="check_failed", config={"check_kinds": ["postgres"]})
    assert [entry["target"]["name"] for entry in found["messages"]] == ["Data"]
    assert look_back(operator, kind="check_failed")["count"] == 2


def test_slow_hours_are_found_in_the_results(operator: User) -> None:
    target = make_target("Shop")
    for minutes in range(5, 175, 5):
        slow = 60 <= minutes < 90
        measure(target, *[5_000 if slow else 100] * 3, ago=minutes * MINUTE)
    found = look_back(operator, kind="latency", critical_level=2_000)
    assert found["count"] == 1
    assert found["messages"][0]["value"] == 5_000
    assert 1_500 <= found["messages"][0]["lasted_seconds"] <= 2_400
    assert found["evaluated_from"] is not None


def test_uptime_falls_and_recovers(operator: User) -> None:
    target = make_target("Shop")
    become(target, "operational", ago=20 * 24 * HOUR)
    down(target, 72 * HOUR, 66 * HOUR)
    found = look_back(operator, kind="uptime", operator="<", critical_level=90)
    assert found["count"] == 1
    assert found["messages"][0]["value"] < 90


def test_certificates_are_found_in_the_results(operator: User) -> None:
    target = make_service("Shop").target
    make_check(target, config={"url": "https://shop.example/"})
    for hours in range(1, 100, 12):
        measure(target, 100, ago=hours * HOUR, measurements={"certificate_days": 5.0 + hours / 24})
    found = look_back(operator, kind="certificate_days", operator="<", critical_level=7)
    assert found["count"] == 1
    assert found["messages"][0]["lasted_seconds"] is None


@pytest.mark.parametrize("kind", ["cache_hit_rate", "lateness", "catalog_drift"])
def test_what_stores_no_history_says_so(operator: User, kind: str) -> None:
    found = look_back(operator, kind=kind, critical_level=50)
    assert found["problem"].startswith("No history")
    assert (found["count"], found["messages"]) == (0, [])


def test_a_saved_rule_is_asked_by_get_and_post_over_what_the_reader_may_see(
    viewer: User, production: Environment, development: Environment
) -> None:
    for name, environment in (("Here", development), ("There", production)):
        down(make_target(name, environment=environment), 5 * HOUR, 4 * HOUR)
    url = f"/api/v1/rules/{make_rule(kind='status').pk}/backtest/"
    assert api_client(viewer).get(url).json()["count"] == 2
    assert api_client(viewer).get(f"{url}?days=40").status_code == 400
    inside = api_client(make_user("viewer", development)).get(f"{url}?days=3").json()
    assert [entry["target"]["name"] for entry in inside["messages"]] == ["Here"]
    assert api_client(make_user("operator")).post(url, {"days": 3}, format="json").json()["count"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "kind"), ({"kind": "latency"}, "critical_level"), ({"kind": "status", "days": 0}, "days")],
)
def test_a_rule_that_could_not_be_saved_is_refused(operator: User, body: dict[str, Any], field: str) -> None:
    answer = api_client(operator).post(URL, body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()


def test_only_operators_of_the_environment_ask_about_a_rule_that_is_not_saved(development: Environment) -> None:
    client = api_client(make_user("operator", development))
    assert client.post(URL, {"kind": "status"}, format="json").status_code == 403
    assert client.post(URL, {"kind": "status", "environment": "dev"}, format="json").status_code == 200
