"""Admission: free looks untouched, paid ones with money and a place, the others put off or told why not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.budgets import set_cap
from apps.checks import schedule
from apps.checks.models import CheckRegion, Reservation
from apps.checks.spending import admission
from apps.core import statements
from apps.core.clock import database_now
from tests.checks.looking import OK, add_check, finished, local, make_check, record
from tests.checks.spending.paying import MOST, account, claims, heard, paid_check, priced_model, set_aside

pytestmark = pytest.mark.django_db


def row(check: Any) -> CheckRegion:
    return CheckRegion.objects.get(source_check=check)


def admit() -> list[schedule.Claim]:
    return admission.admit(local().pk, claims())


def test_what_costs_nothing_is_not_even_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_check(f"Shop {number}")
    due, region = claims(), local().pk
    asked: list[str] = []
    monkeypatch.setattr("apps.core.statements.run", lambda statement, _values=(): asked.append(statement))
    with CaptureQueriesContext(connection) as queries:
        assert admission.admit(region, due) == due
    assert not asked
    assert not len(queries)


def test_the_most_a_look_may_cost_is_set_aside_from_both_accounts() -> None:
    model = priced_model()
    check = paid_check(model)
    [claim] = admit()
    reservation = Reservation.objects.get()
    assert (reservation.check_id, reservation.generation, reservation.amount) == (check.pk, claim.generation, MOST)
    assert reservation.expires_at > database_now() + timedelta(seconds=claim.timeout_seconds)
    assert account(model.provider) == account(None) == (0, MOST)


def test_paid_and_free_looks_leave_in_the_order_they_were_claimed() -> None:
    model = priced_model()
    for number in range(3):
        paid_check(model, number)
        make_check(f"Shop {number}")
    due = claims()
    assert admission.admit(local().pk, due) == due


def test_without_money_a_look_is_refused_and_its_row_moves_along_its_grid() -> None:
    model = priced_model()
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.005"))
    check = paid_check(model)
    free = add_check(model.target)
    assert [claim.check_id for claim in admit()] == [free.pk]
    found = row(check)
    assert (found.verdict, found.reason) == ("unknown", "budget_spent")
    assert found.lease_until is None
    assert found.next_due_at > database_now()
    assert (found.next_due_at.timestamp() - found.offset_seconds) % 60 == pytest.approx(0, abs=0.01)
    check.status_row.refresh_from_db()
    assert (check.status_row.verdict, check.status_row.reason) == ("unknown", "budget_spent")
    assert set_aside() == 0
    assert account(model.provider) == (0, 0)


def test_a_target_of_paid_looks_alone_is_unknown_for_want_of_money() -> None:
    model = priced_model()
    check = paid_check(model)
    record(finished(check, OK, admit()[0].generation))
    model.target.status_row.refresh_from_db()
    assert model.target.status_row.status == "operational"
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(0))
    CheckRegion.objects.update(next_due_at=database_now())
    assert admit() == []
    model.target.status_row.refresh_from_db()
    assert (model.target.status_row.status, model.target.status_row.reason) == ("unknown", "budget_spent")


def test_free_rungs_go_on_and_keep_the_target_known() -> None:
    model = priced_model()
    paid_check(model)
    free = add_check(model.target)
    set_cap(actor=None, provider=None, monthly_cap=Decimal(0))
    [claim] = admit()
    record(finished(free, OK, claim.generation))
    model.target.status_row.refresh_from_db()
    assert model.target.status_row.status == "operational"


def test_no_more_than_the_providers_places_are_under_way_at_once() -> None:
    model = priced_model(paid_at_once=2)
    checks = [paid_check(model, number) for number in range(5)]
    first = admit()
    assert len(first) == 2
    waiting = [row(check) for check in checks if check.pk not in {claim.check_id for claim in first}]
    now = database_now()
    for found in waiting:
        assert found.lease_until is None
        assert found.lost_leases == 0
        assert found.verdict == "unknown" and found.reason == "not_measured"
        assert timedelta(0) < found.next_due_at - now <= timedelta(seconds=6)
    CheckRegion.objects.filter(pk__in=[found.pk for found in waiting]).update(next_due_at=now)
    assert admit() == []
    record(heard(first[0]))
    CheckRegion.objects.filter(pk__in=[found.pk for found in waiting]).update(next_due_at=now)
    assert len(admit()) == 1
    assert not CheckRegion.objects.exclude(lost_leases=0).exists()


def test_places_are_each_providers_own() -> None:
    one, two = priced_model(paid_at_once=1), priced_model(paid_at_once=1)
    for number in range(2):
        paid_check(one, number)
        paid_check(two, number)
    assert len(admit()) == 2


def test_money_that_is_out_is_waited_for_and_not_called_spent() -> None:
    model = priced_model()
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.015"))
    paid_check(model, 1)
    second = paid_check(model, 2)
    [first] = admit()
    refused = row(second) if first.check_id != second.pk else row(first.check_id)
    assert refused.reason == "not_measured"
    record(heard(first, tokens=4_000))
    CheckRegion.objects.filter(pk=refused.pk).update(next_due_at=database_now())
    assert len(admit()) == 1


def test_a_cap_lowered_while_looks_are_under_way_lets_them_end_and_no_other_go() -> None:
    model = priced_model(paid_at_once=10)
    for number in range(3):
        paid_check(model, number)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.05"))
    under_way = admit()
    assert len(under_way) == 3
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.01"))
    waiting = paid_check(model, 3)
    assert admit() == []
    assert row(waiting).reason == "not_measured", "some of what is set aside may come back"
    record(*(heard(claim, tokens=4_000) for claim in under_way))
    assert account(model.provider) == (Decimal("0.012"), 0)
    CheckRegion.objects.filter(pk=row(waiting).pk).update(next_due_at=database_now())
    assert admit() == []
    assert row(waiting).reason == "budget_spent"


def test_a_model_without_a_price_counts_as_nothing_until_the_money_is_spent() -> None:
    model = priced_model(dollars=None)
    paid_check(model)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(1))
    [claim] = admit()
    assert Reservation.objects.get().amount == 0
    record(heard(claim))
    assert account(model.provider) == (0, 0)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(0))
    CheckRegion.objects.update(next_due_at=database_now())
    assert admit() == []


def test_a_price_of_nothing_is_never_stopped() -> None:
    model = priced_model(dollars="0")
    paid_check(model)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(0))
    assert len(admit()) == 1


def test_a_check_edited_meanwhile_is_left_alone() -> None:
    model = priced_model()
    check = paid_check(model)
    set_cap(actor=None, provider=None, monthly_cap=Decimal(0))
    due = claims()
    schedule.sync_regions(check)
    assert admission.admit(local().pk, due) == []
    assert row(check).reason == "not_measured"


def test_the_number_of_statements_does_not_grow_with_the_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    model = priced_model(paid_at_once=1_000)
    real = statements.run
    asked: list[str] = []

    def counted(statement: str, values: Any = ()) -> Any:
        asked.append(statement)
        return real(statement, values)

    monkeypatch.setattr(statements, "run", counted)
    costs = []
    for number in (1, 30):
        for position in range(number):
            paid_check(model, 100 * number + position)
        due = claims()
        asked.clear()
        with CaptureQueriesContext(connection) as queries:
            assert len(admission.admit(local().pk, due)) == number
        costs.append(len([one for one in asked if "INSERT INTO checks_budgetmonth" not in one]) + len(queries))
    assert costs[0] == costs[1]
    assert costs[1] <= 10
