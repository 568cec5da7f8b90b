"""What each kind reads, of what was stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.models import Alert
from apps.alerts.rule_kinds.base import PORTAL, RULE_KINDS
from apps.catalog.models import Provider, Target
from apps.checks import history
from apps.checks.models import Check, CheckRegion
from apps.core import cache, kindconfig
from tests.alerts.rules.world import (
    MINUTE,
    become,
    evaluate,
    firing,
    judge_check,
    look_steadily,
    make_target,
    measure,
    now,
    only_rule,
)
from tests.factories import make_check, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _steady() -> None:
    look_steadily()


def read(kind: str, *targets: Target, **config: Any) -> dict[str, float | None]:
    """The numbers by the target's name ("" for the portal)."""
    chosen = RULE_KINDS.get(kind)
    found = chosen.read(kindconfig.decode(chosen.Config, config), [target.pk for target in targets], now=now())
    names = {target.pk: target.name for target in targets}
    return {names[key] if key is not PORTAL else "": reading.value for key, reading in found.items()}


def test_status_is_one_of_those_that_count() -> None:
    down, slow = make_target("Down"), make_target("Slow")
    become(down, "outage")
    become(slow, "degraded")
    assert read("status", down, slow, statuses=["outage"]) == {"Down": 1.0, "Slow": 0.0}
    assert read("status", down, slow, statuses=["outage", "degraded"]) == {"Down": 1.0, "Slow": 1.0}


def test_a_failed_check_counts_by_its_kind_or_its_part_of_the_portal() -> None:
    web, database, own = make_target("Web"), make_service("Data").target, make_service("Own").target
    make_check(database, kind="postgres", config={"host": "127.0.0.1", "database": "d", "user": "u"})
    make_check(own, kind="tcp", config={"host": "127.0.0.1", "port": 5432})
    Check.objects.filter(target=own).update(portal_part="postgresql")
    targets = (web, database, own)
    assert read("check_failed", *targets) == {}  # nothing was measured yet
    for target in targets:
        judge_check(target, "outage")
    assert set(read("check_failed", *targets)) == {"Web", "Data", "Own"}
    assert set(read("check_failed", *targets, check_kinds=["postgres"])) == {"Data"}
    chosen = {"check_kinds": ["postgres"], "portal_parts": ["postgresql"]}
    assert read("check_failed", *targets, **chosen) == {"Data": 1.0, "Own": 1.0}
    judge_check(database, "operational")
    assert read("check_failed", *targets, **chosen) == {"Data": 0.0, "Own": 1.0}
    Check.objects.filter(target=own).update(enabled=False)
    assert read("check_failed", *targets, **chosen) == {"Data": 0.0}


def test_latency_is_a_percentile_of_answered_looks_in_the_window() -> None:
    target = make_target()
    measure(target, *range(100, 200))
    measure(target, 9_000, ago=6 * MINUTE)
    measure(target, 9_000, state="failed", reason="timeout")
    assert read("latency", target, percentile="p50")["Shop"] == pytest.approx(149.5)
    assert read("latency", target, percentile="p99", window_seconds=600)["Shop"] > 190  # type: ignore[operator]
    assert read("latency", target, check_kinds=["tcp"]) == {}


def test_how_long_the_vendors_page_took_is_no_latency_of_the_provider() -> None:
    target = make_provider("OpenAI", base_url="https://api.openai.com/v1").target
    own = make_check(target, kind="ai_models", config={})
    page = make_check(target, kind="vendor_status", config={"url": "https://status.openai.com"})
    measure(target, *[100.0] * 5, check=own)
    measure(target, *[5_000.0] * 20, check=page)
    assert read("latency", target, percentile="p95") == {"OpenAI": 100.0}
    Check.objects.filter(pk=own.pk).update(enabled=False)
    assert read("latency", target, percentile="p95") == {}


def test_a_target_whose_every_look_failed_has_no_latency() -> None:
    target = make_target()
    measure(target, 9_000, state="failed", reason="timeout")
    assert read("latency", target) == {}


def test_uptime_is_the_arithmetic_of_the_targets_page() -> None:
    half, whole, fresh = make_target("Half"), make_target("Whole"), make_target("Fresh")
    become(half, "operational", ago=timedelta(hours=50))
    become(half, "outage", ago=timedelta(hours=6))
    become(half, "degraded", ago=timedelta(hours=3))
    become(half, "unknown", ago=timedelta(hours=2))
    become(whole, "operational", ago=timedelta(hours=30))
    found = read("uptime", half, whole, fresh)
    assert set(found) == {"Half", "Whole"}
    assert found["Whole"] == 100.0
    reports = history.get_uptime([half.pk], timedelta(days=1))
    assert found["Half"] == pytest.approx(100 * reports[half.pk].ratio, abs=0.01)  # type: ignore[operator]


def make_https(name: str) -> Target:
    target = make_service(name).target
    make_check(target, config={"url": "https://shop.example/"})
    return target


def test_certificate_days_come_from_the_latest_look_that_read_one_and_run_out_meanwhile() -> None:
    target, plain = make_https("Shop"), make_target("Plain")
    measure(target, 100, measurements={"certificate_days": 60.0}, ago=30 * MINUTE)
    measure(target, 100, measurements={"certificate_days": 10.0}, ago=12 * MINUTE)
    measure(target, 100, measurements={}, ago=MINUTE)  # over a connection that was kept
    measure(plain, 100)
    assert read("certificate_days", target, plain) == {"Shop": pytest.approx(9.99, abs=0.01)}


def test_the_first_certificate_to_end_counts() -> None:
    target = make_https("Shop")
    first = target.checks.get()
    second = make_check(target, config={"url": "https://api.shop.example/"})
    measure(target, 100, check=first, measurements={"certificate_days": 60.0})
    measure(target, 100, check=second, measurements={"certificate_days": 5.0})
    assert read("certificate_days", target) == {"Shop": pytest.approx(5, abs=0.01)}
    Check.objects.filter(pk=second.pk).update(enabled=False)
    assert read("certificate_days", target) == {"Shop": pytest.approx(60, abs=0.01)}


@cache.cached("story", ttl=60)
def _answer(number: int) -> int:
    return number


@pytest.mark.django_db(transaction=True)
def test_the_cache_has_a_rate_once_it_was_read_often_enough() -> None:
    for _ in range(200):
        _answer(7)
    [(portal, rate)] = read("cache_hit_rate", least_reads=100).items()
    assert portal == ""
    assert 0 < rate <= 100  # type: ignore[operator]
    assert read("cache_hit_rate", least_reads=1_000_000) == {}


def test_lateness_is_of_what_waits_for_a_worker() -> None:
    target = make_target()
    CheckRegion.objects.filter(source_check__target=target).update(next_due_at=now() - 2 * MINUTE)
    assert read("lateness")[""] == pytest.approx(120_000, rel=0.1)


def test_drift_counts_both_ways_and_only_what_was_discovered() -> None:
    never, drifting = make_provider("Never"), make_provider("Drifting")
    for name in ("a", "b", "c"):
        make_model(drifting, name)
    Provider.objects.filter(pk=drifting.pk).update(offered_models=["a", "x", "y", "x"], last_discovered_at=now())
    assert read("catalog_drift", never.target, drifting.target) == {"Drifting": 4.0}


def test_what_the_portal_measures_of_itself_is_an_alert_without_a_target() -> None:
    target = make_target()
    CheckRegion.objects.filter(source_check__target=target).update(next_due_at=now() - 2 * MINUTE)
    only_rule("Late", kind="lateness", critical_level=60_000)
    evaluate()
    alert = Alert.objects.get()
    assert (alert.fingerprint, alert.environment, alert.target) == ("portal:lateness", None, None)
    assert firing() == [("", "lateness", "critical")]
    CheckRegion.objects.update(next_due_at=now() + MINUTE)
    evaluate()
    assert firing() == []


@pytest.mark.parametrize("kind", list(RULE_KINDS), ids=lambda kind: kind.name)
def test_a_kind_reads_nothing_where_there_is_nothing(kind: Any) -> None:
    assert set(kind.read(kind.Config(), [], now=now())) <= {PORTAL}
