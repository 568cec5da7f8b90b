"""No data, and a portal that did not look: the one may be an alert, the other never is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.alerts.models import RuleState
from apps.catalog.models import Target
from apps.checks.models import Check, CheckRegion
from apps.core import clock
from tests.alerts.rules.world import (
    MINUTE,
    become,
    evaluate,
    firing,
    forget_results,
    heard,
    later,
    look_steadily,
    make_target,
    measure,
    only_rule,
)
from tests.checks.heartbeats.telling import make_heartbeat
from tests.factories import make_check, make_service

pytestmark = pytest.mark.django_db

SILENT = timedelta(hours=2)


def silent_rule() -> None:
    only_rule(critical_level=2_000, no_data="alert", for_seconds=0)


def test_no_data_is_an_alert_where_a_rule_asks_for_it() -> None:
    look_steadily()
    make_target("Shop")
    silent_rule()
    evaluate()
    assert firing() == [("Shop", "latency", "critical")]
    assert RuleState.objects.get().level == "no_data"


def test_a_paused_check_is_no_data_and_not_the_portals_doing() -> None:
    look_steadily()
    target = make_target("Shop")
    Check.objects.filter(target=target).update(enabled=False)
    CheckRegion.objects.filter(source_check__target=target).update(enabled=False, last_result_at=None)
    silent_rule()
    evaluate()
    assert firing() == [("Shop", "latency", "critical")]


def test_after_a_gap_in_its_own_ticks_the_portal_calls_nobody_silent() -> None:
    make_target("Shop")
    silent_rule()
    look_steadily(since=clock.now() - 5 * MINUTE)
    evaluate()
    assert firing() == []
    look_steadily(since=clock.now() - 7 * MINUTE)  # the window of five minutes, and one to settle
    evaluate()
    assert firing() == [("Shop", "latency", "critical")]


def test_a_target_the_portal_does_not_look_at_is_not_silent() -> None:
    look_steadily()
    forgotten, other = make_target("Forgotten"), make_target("Other")
    measure(other, 100)
    heard(forgotten.checks.get(), clock.now() - SILENT)
    silent_rule()
    evaluate()
    assert firing() == []


def test_what_fires_goes_on_while_nobody_looks_and_what_waits_begins_anew() -> None:
    look_steadily()
    first, second = make_target("First"), make_target("Second")
    measure(first, 3_000)
    only_rule(critical_level=2_000, warning_level=1_000, no_data="resolve")
    evaluate()
    measure(second, 1_500)
    evaluate()
    assert set(RuleState.objects.values_list("target__name", "firing")) == {("First", True), ("Second", False)}
    forget_results()
    for target in (first, second):
        heard(target.checks.get(), clock.now() - SILENT)
    evaluate()
    assert firing() == [("First", "latency", "critical")]
    assert RuleState.objects.count() == 1


def test_time_before_a_gap_does_not_count_for_what_waits() -> None:
    look_steadily()
    measure(make_target(), 1_500)
    only_rule(warning_level=1_000)
    evaluate()
    later(20 * MINUTE)
    look_steadily(since=clock.now() - 10 * MINUTE)
    evaluate()
    assert firing() == []
    look_steadily()
    later(20 * MINUTE)
    evaluate()
    assert firing() == [("Shop", "latency", "warning")]


def unknown_rule() -> None:
    only_rule(kind="status", config={"statuses": ["unknown"]}, severity="warning", for_seconds=0)


def make_unknown(name: str) -> Target:
    target = make_target(name)
    heard(target.checks.get(), clock.now() - SILENT)
    become(target, "unknown", "stale")
    return target


def test_unknown_is_told_while_its_region_measures_others() -> None:
    look_steadily()
    make_unknown("Forgotten")
    become(make_target("Well"), "operational", "ok")
    unknown_rule()
    evaluate()
    assert firing() == [("Forgotten", "status", "warning")]


def test_unknown_is_told_to_nobody_while_the_region_measures_nothing() -> None:
    look_steadily()
    for number in range(3):
        make_unknown(f"Target {number}")
    unknown_rule()
    evaluate()
    assert firing() == []


def test_unknown_is_told_to_nobody_just_after_a_gap() -> None:
    look_steadily(since=clock.now() - timedelta(seconds=30))
    make_unknown("Forgotten")
    make_target("Well")
    unknown_rule()
    evaluate()
    assert firing() == []


def test_an_outage_that_was_measured_stays_one_while_nobody_looks() -> None:
    look_steadily()
    target = make_unknown("Shop")
    become(target, "outage")
    only_rule(kind="status", config={"statuses": ["outage"]})
    evaluate()
    assert firing() == [("Shop", "status", "critical")]


def test_a_heartbeat_that_was_never_heard_is_no_lag_of_ours() -> None:
    look_steadily()
    target = make_service("Backup").target
    make_heartbeat(target)
    make_target("Well")
    unknown_rule()
    evaluate()
    assert ("Backup", "status", "warning") in firing()


def test_a_check_that_was_never_looked_at_is_not_silent() -> None:
    look_steadily()
    target = make_service("New").target
    make_check(target)
    silent_rule()
    evaluate()
    assert firing() == []
