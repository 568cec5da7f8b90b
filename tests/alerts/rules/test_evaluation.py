"""Evaluation: from what was measured to open alerts, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from apps.alerts.models import Alert, AlertSource, Rule, RuleState
from apps.alerts.ruling import evaluate as evaluation
from apps.alerts.ruling.services import delete_rule, update_rule
from apps.catalog.models import Target
from apps.core import clock
from tests.alerts.rules.world import (
    MINUTE,
    become,
    evaluate,
    firing,
    forget_results,
    later,
    look_steadily,
    make_rule,
    make_target,
    measure,
    only_rule,
    run,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _steady() -> None:
    look_steadily()


def test_a_number_beyond_its_level_is_an_alert_that_says_what_was_found() -> None:
    target = make_target("Shop", tags=["web"])
    measure(target, 3_000, 3_000)
    rule = only_rule("Slow", critical_level=2_000, recovery_margin=100)
    assert evaluate() == 1
    alert = Alert.objects.get()
    assert (alert.fingerprint, alert.severity, alert.target) == (f"{target.pk}:latency", "critical", target)
    assert alert.detail == {
        "value": 3000.0,
        "level": 2000.0,
        "unit": "ms",
        "operator": ">",
        "percentile": "p95",
        "looks": 2,
    }
    assert alert.labels["environment"] == "prod"
    assert alert.labels["rule"] == ["Slow"]
    assert alert.labels["tag"] == ["web"]
    source = alert.sources.get()
    assert (source.kind, source.rule, source.severity) == ("rule", rule, "critical")
    assert evaluate() == 0


def test_it_ends_when_the_number_is_back_by_the_margin() -> None:
    target = make_target()
    measure(target, 3_000)
    only_rule(critical_level=2_000, recovery_margin=500)
    evaluate()
    forget_results()
    measure(target, 1_600)
    assert evaluate() == 0
    forget_results()
    measure(target, 1_400)
    assert evaluate() == 1
    assert firing() == []
    assert not RuleState.objects.exists()


def test_warning_is_told_after_a_quarter_of_an_hour_unless_the_rule_says_otherwise() -> None:
    measure(make_target(), 3_000)
    rule = only_rule(warning_level=2_000)
    evaluate()
    assert firing() == []
    assert RuleState.objects.get().level == "warning"
    later(15 * MINUTE)
    evaluate()
    assert firing() == [("Shop", "latency", "warning")]
    assert Alert.objects.get().hold_seconds == 0
    update_rule(actor=None, rule=rule, for_seconds=0)
    other = make_target("Other")
    measure(other, 3_000)
    evaluate()
    assert ("Other", "latency", "warning") in firing()


def test_a_severity_that_rises_and_falls_is_one_alert() -> None:
    target = make_target()
    measure(target, 1_500)
    only_rule(warning_level=1_000, critical_level=2_000, for_seconds=0)
    evaluate()
    forget_results()
    measure(target, 2_500)
    assert evaluate() == 1
    assert firing() == [("Shop", "latency", "critical")]
    forget_results()
    measure(target, 1_500)
    assert evaluate() == 1
    assert firing() == [("Shop", "latency", "warning")]
    assert Alert.objects.count() == 1


def _disable_rule(rule: Rule, _target: Target) -> None:
    update_rule(actor=None, rule=rule, enabled=False)


def _delete_rule(rule: Rule, _target: Target) -> None:
    delete_rule(actor=None, rule=rule)


def _erase_rule(rule: Rule, _target: Target) -> None:
    rule.delete()


def _match_others(rule: Rule, _target: Target) -> None:
    update_rule(actor=None, rule=rule, matchers=[{"label": "tag", "operator": "=", "value": "db"}])


def _raise_level(rule: Rule, _target: Target) -> None:
    update_rule(actor=None, rule=rule, critical_level=9_000)


def _pause_target(_rule: Rule, target: Target) -> None:
    Target.objects.filter(pk=target.pk).update(enabled=False)


def _delete_target(_rule: Rule, target: Target) -> None:
    Target.objects.filter(pk=target.pk).update(deleted_at=clock.now())


@pytest.mark.parametrize(
    "change",
    [_disable_rule, _delete_rule, _erase_rule, _match_others, _raise_level, _pause_target, _delete_target],
)
def test_an_alert_ends_with_whatever_made_it(change: object) -> None:
    target = make_target()
    measure(target, 3_000)
    rule = only_rule(critical_level=2_000)
    evaluate()
    assert firing()
    change(rule, target)  # type: ignore[operator]
    assert evaluate() == 1
    assert firing() == []
    assert not RuleState.objects.exists()


def test_two_rules_about_one_cause_are_one_alert_until_the_last_ends() -> None:
    measure(make_target(), 3_000)
    first = only_rule("First", critical_level=2_000)
    second = make_rule("Second", warning_level=1_000, for_seconds=0)
    evaluate()
    assert firing() == [("Shop", "latency", "critical")]
    assert sorted(AlertSource.objects.values_list("name", flat=True)) == ["First", "Second"]
    update_rule(actor=None, rule=first, enabled=False)
    evaluate()
    assert firing() == [("Shop", "latency", "warning")]
    update_rule(actor=None, rule=second, enabled=False)
    evaluate()
    assert firing() == []
    assert Alert.objects.count() == 1


def test_an_alert_goes_from_one_rule_to_another_without_an_end_in_between() -> None:
    measure(make_target(), 3_000)
    first = only_rule("First", critical_level=2_000)
    evaluate()
    update_rule(actor=None, rule=first, enabled=False)
    make_rule("Second", critical_level=2_000)
    assert evaluate() == 2
    assert Alert.objects.get().resolved_at is None


def test_matchers_and_the_environment_choose_the_targets() -> None:
    for name, tag in (("Web", "web"), ("Data", "db")):
        measure(make_target(name, tags=[tag]), 3_000)
    only_rule("Web only", matchers=[{"label": "tag", "operator": "=", "value": "web"}])
    evaluate()
    assert firing() == [("Web", "latency", "critical")]


def test_more_than_a_run_may_change_is_left_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_CHANGES", 2)
    for number in range(5):
        measure(make_target(f"Target {number}"), 3_000)
    rule = only_rule(critical_level=2_000)
    assert [evaluate() for _ in range(4)] == [2, 2, 1, 0]
    update_rule(actor=None, rule=rule, enabled=False)
    assert [evaluate() for _ in range(4)] == [2, 2, 1, 0]


def test_a_rule_every_target_breaks_does_not_fill_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_STANDINGS", 3)
    for number in range(5):
        measure(make_target(f"Target {number}"), 3_000)
    rule = only_rule(critical_level=2_000)
    evaluate()
    evaluate()
    assert RuleState.objects.count() == 3
    rule.refresh_from_db()
    assert rule.problem == "too_many_states"


def test_nothing_is_written_while_nothing_changes() -> None:
    target = make_target()
    measure(target, 3_000)
    only_rule(critical_level=2_000)
    evaluate()
    before = RuleState.objects.values_list("evaluated_at", "value").get()
    measure(target, 4_000)
    evaluate()
    assert RuleState.objects.values_list("evaluated_at", "value").get() == before


def test_a_rule_that_cannot_be_read_says_so_and_stops_no_other() -> None:
    measure(make_target(), 3_000)
    broken = only_rule("Broken")
    Rule.objects.filter(pk=broken.pk).update(config={"colour": "red"})
    make_rule("Sound")
    nobody = make_rule("Nobody", matchers=[{"label": "tag", "operator": "=", "value": "none"}])
    assert evaluate() == 1
    problems = dict(Rule.objects.filter(enabled=True).values_list("name", "problem"))
    assert problems == {"Broken": "config_unreadable", "Sound": "", "Nobody": "no_target"}
    nobody.refresh_from_db()
    assert clock.now() - nobody.evaluated_at < timedelta(minutes=1)  # type: ignore[operator]


def test_a_reading_that_fails_ends_nothing_and_stops_no_other() -> None:
    target = make_target()
    measure(target, 3_000)
    rule = only_rule("Slow", critical_level=2_000)
    evaluate()
    become(target, "outage")
    make_rule("Down", kind="status")
    run("ALTER TABLE checks_checkresult RENAME TO gone_for_now")
    evaluate()
    assert firing() == [("Shop", "latency", "critical"), ("Shop", "status", "critical")]
    rule.refresh_from_db()
    assert rule.problem == "not_read"
    run("ALTER TABLE gone_for_now RENAME TO checks_checkresult")
    forget_results()
    measure(target, 100)
    evaluate()
    assert firing() == [("Shop", "status", "critical")]


def test_while_another_process_evaluates_nothing_is_done() -> None:
    measure(make_target(), 3_000)
    only_rule(critical_level=2_000)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [evaluation._KEY])
            assert evaluate() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [evaluation._KEY])
    finally:
        other.close()
    assert evaluate() == 1
