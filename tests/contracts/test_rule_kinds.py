"""What every kind of rule must hold, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.core import kindconfig
from apps.core.clock import database_now
from tests.factories import api_client, make_check, make_provider, make_service

KINDS = list(RULE_KINDS)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))

# A config of every kind in which nothing is left to its default. A new kind adds its line here.
SAMPLES: dict[str, dict[str, Any]] = {
    "ai_errors": {"window_seconds": 600, "faults": ["ours"], "error_classes": ["stall"], "least_looks": 5},
    "budget": {},
    "budget_total": {},
    "cache_hit_rate": {"window_minutes": 30, "least_reads": 10},
    "catalog_drift": {},
    "certificate_days": {},
    "check_failed": {"check_kinds": ["http", "postgres"], "portal_parts": ["web"]},
    "first_token": {"percentile": "p50", "window_seconds": 600, "first": "answer"},
    "lateness": {"percentile": "p99"},
    "latency": {"percentile": "p50", "window_seconds": 60, "check_kinds": ["http"]},
    "status": {"statuses": ["unknown", "degraded"]},
    "tokens_per_second": {"percentile": "p5", "window_seconds": 600},
    "uptime": {"window_seconds": 3_600},
}
# What reads through a selector that asks for more than one thing, in queries.
ALLOWED = {"lateness": 8}


@EVERY_KIND
def test_a_kind_has_words_a_section_and_a_sample(kind: RuleKind[Any]) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "rules.md").read_text()
    assert f"`{kind.name}`" in page
    assert str(kind.label)
    assert str(kind.help_text).endswith(".")
    assert kind.unit in {"", "s", "ms", "%", "d", "tokens/s"}
    assert set(SAMPLES) == set(RULE_KINDS.names())


@EVERY_KIND
def test_the_config_goes_through_schema_form_and_storage_unchanged(kind: RuleKind[Any]) -> None:
    config = kindconfig.decode(kind.Config, SAMPLES[kind.name])
    stored = msgspec.to_builtins(config)
    assert stored == SAMPLES[kind.name]
    assert kindconfig.decode(kind.Config, stored) == config
    names = {found.name for found in kindconfig.form_fields(kind.Config)}
    assert names == set(kindconfig.json_schema(kind.Config).get("properties", {}))
    assert not kindconfig.secret_paths(kind.Config)


def _numbers_of(kind: RuleKind[Any]) -> list[str]:
    """The paths of every number a rule of this kind takes: its own, and those of its config."""
    own = ["warning_level", "critical_level", "recovery_margin"] if kind.has_levels else []
    properties = kindconfig.json_schema(kind.Config).get("properties", {})
    numeric = [name for name, schema in properties.items() if schema.get("type") in ("integer", "number")]
    return [*own, "for_seconds", *(f"config.{name}" for name in numeric)]


@EVERY_KIND
@pytest.mark.parametrize("given", [True, False, "true", [1], {"value": 1}, "1e400", "nan"])
@pytest.mark.django_db
def test_what_is_no_number_is_refused_at_every_number_of_a_rule(
    operator: User, kind: RuleKind[Any], given: object
) -> None:
    client = api_client(operator)
    for path in _numbers_of(kind):
        levels = {"warning_level": 70, "critical_level": 80} if kind.has_levels else {}
        body: dict[str, Any] = {"name": "Odd", "kind": kind.name, "config": dict(SAMPLES[kind.name]), **levels}
        place, _dot, name = path.rpartition(".")
        (body[place] if place else body)[name] = given
        answer = client.post("/api/v1/rules/", body, format="json")
        assert answer.status_code == 400 and path in answer.json(), (path, given, answer.json())
    assert not Rule.objects.filter(seed="").exists()


@EVERY_KIND
def test_a_config_may_be_left_out(kind: RuleKind[Any]) -> None:
    assert kindconfig.decode(kind.Config, {}) == kind.Config()


@EVERY_KIND
@pytest.mark.django_db
def test_a_reading_costs_one_query_whatever_the_number_of_targets(kind: RuleKind[Any]) -> None:
    targets = [make_service().target.pk for _ in range(20)]
    for _ in range(5):
        targets.append(make_provider().target.pk)
    make_check()
    config, now = kindconfig.decode(kind.Config, SAMPLES[kind.name]), database_now()
    kind.read(config, targets[:1], now=now)
    with CaptureQueriesContext(connection) as queries:
        kind.read(config, targets, now=now)
    assert len(queries) <= ALLOWED.get(kind.name, 1)


@EVERY_KIND
@pytest.mark.django_db
def test_a_kind_answers_for_its_history_or_says_that_there_is_none(kind: RuleKind[Any]) -> None:
    until = database_now()
    since = until.replace(year=until.year - 1)
    found = kind.history(kind.Config(), [make_service().target.pk], since=since, until=until)
    assert (found is not None) == kind.keeps_history
