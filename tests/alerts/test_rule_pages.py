"""The pages of rules: how each stands, and making one with a look back at what it would have sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Rule, RuleState
from apps.alerts.rule_kinds.base import RULE_KINDS
from apps.alerts.ruling.services import create_rule
from apps.catalog.models import Environment
from apps.core import clock
from tests.alerts.filling import browser, condition, text
from tests.factories import make_environment, make_service, make_user

pytestmark = pytest.mark.django_db

RULES = "/alerts/rules/"


@pytest.fixture(autouse=True)
def _only_own_rules(db: None) -> None:
    """Default rules are seeded with the database; these stories name every rule there is."""
    Rule.objects.all().delete()


def make_rule(name: str = "Slow shop", **fields: Any) -> Rule:
    values: dict[str, Any] = {"kind": "latency", "critical_level": 2_000.0, **fields}
    return create_rule(actor=None, name=name, **values)[0]


def stands(rule: Rule, level: str, *, firing: bool, environment: Environment | None = None) -> RuleState:
    """The rule has come this far for a new target."""
    target = make_service(environment=environment or make_environment("prod")).target
    now = clock.now()
    return RuleState.objects.create(
        rule=rule, target=target, level=level, since=now, firing=firing, value=3_200.0, evaluated_at=now
    )


def values_of(kind: str, **changes: str) -> dict[str, str]:
    """What somebody types into the form."""
    values = {
        "name": "Typed name",
        "environment": "",
        "operator": ">",
        "warning_level": "",
        "critical_level": "2000",
        "recovery_margin": "",
        "for_seconds": "",
        "for_seconds_unit": "minute",
        "no_data": "keep",
        "enabled": "on",
        "config.percentile": "p95",
        "config.window_seconds": "5",
        "config.window_seconds_unit": "minute",
    }
    return {**values, "kind": kind, **condition(0, "tag", "typed tag"), **changes}


def test_the_list_says_how_each_rule_stands(viewer: User) -> None:
    rule = make_rule()
    stands(rule, "critical", firing=True)
    stands(rule, "warning", firing=False)
    stands(rule, "no_data", firing=False)
    make_rule("Off", enabled=False)
    page = text(browser(viewer).get(RULES))
    assert "2 rules" in page and "Slow shop" in page
    assert "1 firing" in page and "1 pending" in page and "1 without data" in page
    assert page.index("Slow shop") < page.index(">Off<")
    assert "above 2,000\xa0ms: critical" in page
    assert "/alerts/rules/new/" not in page


def test_the_page_of_a_rule_names_the_targets_it_is_beyond_its_level_for(viewer: User) -> None:
    rule = make_rule()
    state = stands(rule, "critical", firing=True)
    page = text(browser(viewer).get(rule.get_absolute_url()))
    assert state.target is not None
    assert state.target.name in page and "3,200\xa0ms" in page
    assert "every target" in page and "Edit" not in page


def test_targets_of_other_environments_are_neither_named_nor_counted(
    production: Environment, development: Environment
) -> None:
    rule = make_rule()
    hidden = stands(rule, "critical", firing=True, environment=development)
    client = browser(make_user(Role.VIEWER, production))
    for address in (RULES, rule.get_absolute_url()):
        page = text(client.get(address))
        assert hidden.target is not None
        assert hidden.target.name not in page and "1 firing" not in page


@pytest.mark.parametrize("kind", RULE_KINDS.names())
def test_every_kind_has_a_form(operator: User, kind: str) -> None:
    page = text(browser(operator).get(f"{RULES}new/", {"kind": kind}))
    found = RULE_KINDS.get(kind)
    assert ('name="critical_level"' in page) == found.has_levels
    assert ('name="severity"' in page) != found.has_levels
    assert ("matchers-0-label" in page) == found.per_target


def test_a_rule_is_made_edited_switched_and_deleted(operator: User) -> None:
    client = browser(operator)
    made = client.post(f"{RULES}new/?kind=latency", values_of("latency"))
    rule = Rule.objects.get()
    assert made.headers["Location"] == rule.get_absolute_url()
    assert rule.critical_level == 2_000 and rule.warning_level is None and rule.for_seconds is None
    assert rule.matchers == [{"label": "tag", "operator": "=", "value": "typed tag"}]
    form = text(client.get(f"{rule.get_absolute_url()}edit/"))
    assert 'value="2000"' in form and 'value="typed tag"' in form
    client.post(f"{rule.get_absolute_url()}edit/", values_of("latency", for_seconds="10", name="Renamed"))
    rule.refresh_from_db()
    assert rule.name == "Renamed" and rule.for_seconds == 600
    client.post(f"{rule.get_absolute_url()}switch/", {"enabled": "no"})
    rule.refresh_from_db()
    assert not rule.enabled
    client.post(f"{rule.get_absolute_url()}delete/")
    assert client.get(rule.get_absolute_url()).status_code == 404


def test_what_whoever_saves_should_know_is_said_after_saving(operator: User) -> None:
    answered = browser(operator).post(f"{RULES}new/?kind=latency", values_of("latency"), follow=True)
    assert "toast" in text(answered) and "No target matches" in text(answered)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"critical_level": ""}, "Enter a warning level, a critical level, or both."),
        ({"critical_level": "fast"}, "Enter a number"),
        ({"recovery_margin": "-1"}, "greater than or equal to 0"),
        ({"no_data": "panic"}, "Select a valid choice"),
        ({"matchers-1-label": "planet", "matchers-1-value": "x"}, "Choose one of"),
        ({"config.percentile": "p101"}, "Select a valid choice"),
    ],
)
@pytest.mark.parametrize("action", ["save", "backtest"])
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    operator: User, changes: dict[str, str], sentence: str, action: str
) -> None:
    typed = values_of("latency", action=action, **changes)
    answered = browser(operator).post(f"{RULES}new/?kind=latency", typed)
    assert answered.status_code == 400
    page = text(answered)
    assert 'class="error"' in page and sentence in page
    assert 'value="typed tag"' in page
    assert not Rule.objects.exists()


def test_a_look_back_stores_nothing_and_says_what_would_have_been_sent(operator: User) -> None:
    make_service("Shop")
    client = browser(operator)
    typed = values_of("latency", action="backtest", **{"matchers-0-label": "", "matchers-0-value": ""})
    part = client.post(f"{RULES}new/?kind=latency", typed, HTTP_HX_REQUEST="true")
    assert part.status_code == 200 and "<html" not in text(part)
    assert "In the last 7 days this would have sent nothing." in text(part)
    whole = client.post(f"{RULES}new/?kind=latency", typed)
    assert "In the last 7 days this would have sent nothing." in text(whole) and 'value="Typed name"' in text(whole)
    wrong = client.post(f"{RULES}new/?kind=latency", {**typed, "critical_level": "fast"}, HTTP_HX_REQUEST="true")
    assert wrong.status_code == 200 and "Enter a number" in text(wrong)
    assert not Rule.objects.exists()


def test_the_history_of_a_target_is_what_a_rule_on_status_looks_back_at(operator: User) -> None:
    from apps.checks.models import StateChange  # noqa: PLC0415 - only this story needs a past

    target = make_service("Shop").target
    begin = clock.now() - timedelta(hours=3)
    steps = [(begin, "unknown", "outage"), (begin + timedelta(hours=1), "outage", "operational")]
    for at, before, after in steps:
        StateChange.objects.create(target=target, at=at, from_status=before, to_status=after, reason="timeout")
    typed = {
        "name": "Outage",
        "severity": "critical",
        "no_data": "keep",
        "config.statuses": "outage",
        "action": "backtest",
        "enabled": "on",
    }
    page = text(browser(operator).post(f"{RULES}new/?kind=status", typed, HTTP_HX_REQUEST="true"))
    assert "In the last 7 days this would have sent 1 message." in page
    assert "Shop" in page and "Critical" in page and "1\xa0h" in page


def test_rules_of_all_environments_are_changed_by_operators_of_all(production: Environment) -> None:
    everywhere, here = make_rule("Everywhere"), make_rule("Here", environment=production)
    client = browser(make_user(Role.OPERATOR, production))
    assert client.get(f"{here.get_absolute_url()}edit/").status_code == 200
    assert client.get(f"{everywhere.get_absolute_url()}edit/").status_code == 403
    assert client.post(f"{everywhere.get_absolute_url()}delete/").status_code == 403
    refused = client.post(f"{RULES}new/?kind=latency", values_of("latency"))
    assert refused.status_code == 400 and "This field is required" in text(refused)


def test_the_list_costs_the_same_however_many_rules_there_are(viewer: User) -> None:
    client = browser(viewer)

    def cost() -> int:
        client.get(RULES)
        with CaptureQueriesContext(connection) as queries:
            client.get(RULES)
        return len(queries)

    stands(make_rule(), "critical", firing=True)
    few = cost()
    for number in range(9):
        stands(make_rule(f"Rule {number}"), "warning", firing=False)
    assert cost() == few <= 25
