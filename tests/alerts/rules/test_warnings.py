"""What somebody who saves a rule is told: that it can never fire, or never end."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from tests.alerts.rules.world import make_target
from tests.factories import api_client, make_check, make_provider, make_service

pytestmark = pytest.mark.django_db


def warnings(operator: User, body: dict[str, Any]) -> list[str]:
    answer = api_client(operator).post("/api/v1/rules/", {"name": "Rule", **body}, format="json")
    assert answer.status_code == 201, answer.json()
    found: list[str] = answer.json()["warnings"]
    return found


UPTIME: dict[str, Any] = {"kind": "uptime", "operator": "<"}
NEVER_ABOVE = "can never be exceeded"
ALWAYS = "always fires"
NEVER_BELOW = "Nothing can be below"
NEVER_ENDS = "never ends"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**UPTIME, "warning_level": 99}, ""),
        ({**UPTIME, "warning_level": 0}, NEVER_BELOW),
        ({**UPTIME, "warning_level": -5}, NEVER_BELOW),
        ({**UPTIME, "warning_level": 101}, ALWAYS),
        ({**UPTIME, "warning_level": 99, "recovery_margin": 2}, NEVER_ENDS),
        ({**UPTIME, "warning_level": 99, "recovery_margin": 1}, ""),
        ({"kind": "uptime", "operator": ">", "warning_level": 100}, NEVER_ABOVE),
        ({"kind": "latency", "critical_level": 100}, ""),
        ({"kind": "latency", "critical_level": -1}, ALWAYS),
        ({"kind": "latency", "critical_level": 100, "recovery_margin": 200}, NEVER_ENDS),
        ({"kind": "latency", "operator": "<", "critical_level": 0}, NEVER_BELOW),
        ({"kind": "certificate_days", "operator": "<", "critical_level": 0}, ""),
    ],
)
def test_a_level_must_split_the_numbers_there_can_be(operator: User, body: dict[str, Any], expected: str) -> None:
    target = make_target()
    make_check(target, config={"url": "https://shop.example/"})
    found = warnings(operator, body)
    assert len(found) == (1 if expected else 0), found
    assert expected in "".join(found)


def test_no_target_matches(operator: User) -> None:
    make_target()
    matchers = [{"label": "tag", "operator": "=", "value": "none"}]
    [sentence] = warnings(operator, {"kind": "latency", "critical_level": 1, "matchers": matchers})
    assert sentence.startswith("No target matches")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "latency", "critical_level": 1}, "measures response times"),
        ({"kind": "certificate_days", "operator": "<", "critical_level": 7}, "https"),
        ({"kind": "check_failed", "config": {"check_kinds": ["postgres"]}}, "no such check|has such a check"),
        ({"kind": "catalog_drift", "warning_level": 10}, "provider"),
    ],
)
def test_targets_without_what_is_measured(operator: User, body: dict[str, Any], expected: str) -> None:
    make_service("Bare")
    make_provider("Never asked")
    [sentence] = warnings(operator, body)
    assert any(part in sentence for part in expected.split("|"))


def test_a_window_shorter_than_every_interval(operator: User) -> None:
    check = make_check(interval_seconds=3_600)
    assert check.interval_seconds == 3_600
    [sentence] = warnings(operator, {"kind": "latency", "critical_level": 1, "config": {"window_seconds": 300}})
    assert "longer window" in sentence


def test_an_edit_warns_as_well(operator: User) -> None:
    make_target()
    client = api_client(operator)
    made = client.post(
        "/api/v1/rules/", {"name": "Up", "kind": "uptime", "operator": "<", "warning_level": 99}, format="json"
    )
    assert made.json()["warnings"] == []
    edited = client.patch(f"/api/v1/rules/{made.json()['id']}/", {"warning_level": 101}, format="json")
    assert len(edited.json()["warnings"]) == 1
