"""Default rules: there from the first start, edited freely, and gone for good once removed."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from apps.alerts.models import Rule
from apps.alerts.ruling.seeding import seed_rules
from apps.alerts.ruling.services import delete_rule, purge_deleted_rules, update_rule
from apps.core import clock
from tests.alerts.rules.world import evaluate, firing, judge_check, look_steadily, make_rule, measure
from tests.checks.looking import add_check
from tests.factories import make_check, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db

EXPECTED = {
    "checks.response_time": ("latency", ">", None, 2_000.0, "", 0),
    "checks.database": ("check_failed", ">", None, None, "critical", 0),
    "core.cache_hit_rate": ("cache_hit_rate", "<", 80.0, None, "", None),
    "catalog.drift": ("catalog_drift", ">", 10.0, None, "", 900),
    "checks.budget": ("budget", ">", 80.0, 100.0, "", 0),
    "checks.budget_total": ("budget_total", ">", 80.0, 100.0, "", 0),
}


def stored() -> dict[str, Any]:
    rows = Rule.objects.exclude(seed="")
    return {
        rule.seed: (
            rule.kind,
            rule.operator,
            rule.warning_level,
            rule.critical_level,
            rule.severity,
            rule.for_seconds,
        )
        for rule in rows
    }


def test_they_are_there_after_the_migrations() -> None:
    assert stored() == EXPECTED
    assert all(Rule.objects.values_list("enabled", flat=True))


def test_seeding_again_changes_nothing() -> None:
    rule = Rule.objects.get(seed="catalog.drift")
    update_rule(actor=None, rule=rule, name="Ours", warning_level=25)
    seed_rules()
    assert Rule.objects.count() == len(EXPECTED)
    rule.refresh_from_db()
    assert (rule.name, rule.warning_level) == ("Ours", 25)


def test_one_that_was_removed_stays_removed() -> None:
    rule = Rule.objects.get(seed="catalog.drift")
    delete_rule(actor=None, rule=rule)
    Rule.objects.filter(pk=rule.pk).update(deleted_at=clock.now().replace(year=2020))
    purge_deleted_rules()
    seed_rules()
    assert not Rule.objects.present().filter(seed="catalog.drift").exists()


def test_a_rule_of_ones_own_that_was_removed_leaves_nothing() -> None:
    rule = make_rule("Mine")
    delete_rule(actor=None, rule=rule)
    assert purge_deleted_rules() == 0
    Rule.objects.filter(pk=rule.pk).update(deleted_at=clock.now().replace(year=2020))
    assert purge_deleted_rules() == 1


def test_a_name_somebody_uses_already_stands_in_nobodys_way() -> None:
    Rule.objects.filter(seed="catalog.drift").delete()
    make_rule("Catalog and provider differ")
    seed_rules()
    assert "catalog.drift" in Rule.objects.get(seed="catalog.drift").name


def test_every_declaration_is_used() -> None:
    declared = [rule["seed"] for config in apps.get_app_configs() for rule in getattr(config, "default_rules", ())]
    assert sorted(declared) == sorted(EXPECTED)


def test_they_find_a_slow_target_and_a_failed_database_at_once() -> None:
    look_steadily()
    slow, data = make_check(make_service("Slow").target), make_service("Data").target
    make_check(data, kind="postgres", config={"host": "127.0.0.1", "database": "d", "user": "u"})
    measure(slow.target, 2_500)
    judge_check(data, "outage")
    evaluate()
    assert firing() == [("Data", "status", "critical"), ("Slow", "latency", "critical")]


def test_a_model_that_answers_at_length_is_not_slow_by_itself() -> None:
    service, model = make_service("shop"), make_model(make_provider(base_url="http://127.0.0.1:9/v1"), "gpt-5")
    make_check(service.target)
    add_check(model.target, kind="ai_ping", config={})
    for target in (service.target, model.target):
        measure(target, 9_000)
    evaluate()
    assert [name for name, _cause, _severity in firing()] == ["shop"]
