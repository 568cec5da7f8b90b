"""Budgets: one warning at 80 %, critical at 100 %, and the end of both with the month or a raised cap."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.alerts.models import AlertEvent
from apps.catalog.budgets import set_cap
from apps.catalog.models import Provider
from apps.checks.models import BudgetMonth, CheckRegion
from apps.core import clock
from tests.alerts.rules.world import evaluate, firing, look_steadily
from tests.checks.looking import add_check
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


def spend(provider: Provider | None, spent: str) -> None:
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.update_or_create(provider=provider, month=month, defaults={"spent": Decimal(spent)})


@pytest.fixture
def acme() -> Provider:
    look_steadily()
    provider = make_provider("Acme")
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(10))
    return provider


def told() -> list[Any]:
    return list(AlertEvent.objects.order_by("sequence").values_list("kind", "severity"))


@pytest.mark.parametrize(
    ("spent", "severity"),
    [("7.99", None), ("8", "warning"), ("9.99", "warning"), ("10", "critical"), ("12", "critical")],
)
def test_the_level_itself_counts_and_at_once(acme: Provider, spent: str, severity: str | None) -> None:
    spend(acme, spent)
    evaluate()
    assert firing() == ([("Acme", "budget", severity)] if severity else [])


def test_there_is_one_warning_however_often_it_is_looked_at(acme: Provider) -> None:
    for spent in ("8", "8.5", "9", "9.5"):
        spend(acme, spent)
        evaluate()
    assert len(told()) == 1
    spend(acme, "10")
    evaluate()
    assert len(told()) == 2, "worse is told"
    set_cap(actor=None, provider=acme, monthly_cap=Decimal(100))
    evaluate()
    assert firing() == []


def test_the_budget_of_all_is_one_alert_whatever_the_number_of_providers() -> None:
    look_steadily()
    for _ in range(3):
        make_provider()
    set_cap(actor=None, provider=None, monthly_cap=Decimal(10))
    spend(None, "8.20")
    evaluate()
    assert firing() == [("", "budget_total", "warning")]


@pytest.mark.parametrize(("of_all", "expected"), [("100", ("Acme", "budget")), ("7", ("", "budget_total"))])
def test_what_is_left_and_too_little_for_a_look_is_the_end_of_the_smaller_budget(
    acme: Provider, of_all: str, expected: tuple[str, str]
) -> None:
    check = add_check(make_model(acme).target)
    spend(acme, "5")
    spend(None, "5")
    set_cap(actor=None, provider=None, monthly_cap=Decimal(of_all))
    CheckRegion.objects.filter(source_check=check).update(reason="budget_spent", verdict_since=clock.now())
    evaluate()
    assert firing() == [(*expected, "critical")]


def test_what_was_refused_last_month_says_nothing_of_this_one(acme: Provider) -> None:
    check = add_check(make_model(acme).target)
    spend(acme, "5")
    before = datetime(2026, 1, 15, tzinfo=UTC)
    CheckRegion.objects.filter(source_check=check).update(reason="budget_spent", verdict_since=before)
    evaluate()
    assert firing() == []


@pytest.mark.parametrize("cap", [None, "0"])
def test_without_a_cap_and_with_one_of_nothing_there_is_no_alert(acme: Provider, cap: str | None) -> None:
    spend(acme, "9")
    set_cap(actor=None, provider=acme, monthly_cap=None if cap is None else Decimal(cap))
    evaluate()
    assert firing() == []


@pytest.mark.parametrize("cap", [None, "0"])
@pytest.mark.parametrize("whose", ["provider", "all"])
def test_what_was_said_of_a_cap_is_over_once_it_is_lifted(acme: Provider, whose: str, cap: str | None) -> None:
    provider = acme if whose == "provider" else None
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(10))
    spend(provider, "10")
    evaluate()
    assert [severity for _name, _cause, severity in firing()] == ["critical"]
    set_cap(actor=None, provider=provider, monthly_cap=None if cap is None else Decimal(cap))
    evaluate()
    assert firing() == []
    assert told()[-1][0] == "resolved"
