"""Accounts: what a look really cost, counted once, whatever becomes of its result."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Price
from apps.checks.models import BudgetMonth, CheckRegion, Reservation, SpendDay
from apps.checks.services import delete_check, update_check
from apps.checks.spending import accounts, admission
from apps.core import clock
from apps.core.clock import database_now
from tests.checks.looking import FAILED, INDETERMINATE, OK, local, record
from tests.checks.spending.paying import (
    MOST,
    account,
    claims,
    day_of,
    heard,
    paid_check,
    priced_model,
    set_aside,
)

pytestmark = pytest.mark.django_db


def test_a_result_turns_what_was_set_aside_into_what_it_cost() -> None:
    model = priced_model()
    paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim, tokens=4_000, measurements={"tokens_cached": 10.0, "tokens_reasoning": 1_000.0}))
    assert account(model.provider) == account(None) == (Decimal("0.004"), 0)
    assert set_aside() == 0
    day = day_of(model)
    assert (day.day, day.provider_id) == (clock.now().date(), model.provider_id)
    assert (day.looks, day.estimated_looks, day.cost) == (1, 0, Decimal("0.004"))
    assert (day.tokens_in, day.tokens_out, day.tokens_cached, day.tokens_reasoning) == (100, 4_000, 10, 1_000)


def test_looks_of_a_day_add_up() -> None:
    model = priced_model()
    for number in range(3):
        paid_check(model, number)
    first, *others = admission.admit(local().pk, claims())
    record(heard(first, tokens=1_000))
    record(*(heard(claim, tokens=2_000, measurements={"usage_estimated": 1.0}) for claim in others))
    day = day_of(model)
    assert (day.looks, day.estimated_looks, day.tokens_out, day.cost) == (3, 2, 5_000, Decimal("0.005"))
    assert account(model.provider) == (Decimal("0.005"), 0)


@pytest.mark.parametrize(
    ("state", "tokens", "cost", "looks"),
    [
        (OK, 4_000, "0.004", 1),
        (FAILED, 4_000, "0.004", 1),  # what was answered is paid for, good or bad
        (FAILED, 0, "0", 1),  # refused before the first token
        (FAILED, None, "0", 1),  # nobody was reached
        (INDETERMINATE, None, "0", 0),  # nobody looked
        (INDETERMINATE, 4_000, "0.004", 1),  # somebody did, and the fault was ours
        (OK, 50_000, "0.05", 1),  # more than was thought possible is still what it cost
        (OK, float("nan"), "0.01", 1),  # numbers nobody can believe: as much as it may have been
        (OK, -5, "0.01", 1),
        (OK, 1e12, "0.01", 1),
    ],
)
def test_what_a_look_costs(state: object, tokens: float | None, cost: str, looks: int) -> None:
    model = priced_model()
    paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    accounts.settle([heard(claim, state, tokens)], {"local": local().pk}, database_now())  # type: ignore[arg-type]
    assert account(model.provider) == account(None) == (Decimal(cost), 0)
    assert set_aside() == 0
    days = list(SpendDay.objects.filter(target_id=model.pk))
    assert [(day.looks, day.cost) for day in days] == ([(looks, Decimal(cost))] if looks else [])


def test_an_estimate_is_never_more_than_was_set_aside() -> None:
    """Words are no tokens: of what was counted by us, the last look passes no cap."""
    model = priced_model()
    paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim, tokens=12_000, measurements={"usage_estimated": 1.0}))
    assert account(model.provider) == account(None) == (MOST, 0)
    assert day_of(model).cost == MOST


def test_a_look_has_the_price_of_the_day_it_began_on() -> None:
    model = priced_model()
    checks = [paid_check(model, number) for number in range(2)]
    late, early = admission.admit(local().pk, claims())
    assert len(checks) == 2
    midnight = datetime.combine(clock.now().date(), time(), UTC)
    Price.objects.create(
        provider=model.provider,
        model=model.target.name,
        input_per_million=0,
        output_per_million=Decimal(100),
        valid_from=midnight.date(),
    )
    finished = [
        heard(late, tokens=1_000, started_at=(midnight + timedelta(seconds=1)).timestamp()),
        heard(early, tokens=1_000, started_at=(midnight - timedelta(seconds=1)).timestamp()),
    ]
    accounts.settle(finished, {"local": local().pk}, database_now())
    if midnight.day == 1:
        # The month whose money was set aside: sums over days and accounts of months agree.
        assert account(model.provider) == (Decimal("0.2"), 0)
    else:
        assert account(model.provider) == (Decimal("0.101"), 0)
        costs = dict(SpendDay.objects.filter(target_id=model.pk).values_list("day", "cost"))
        assert costs == {midnight.date(): Decimal("0.1"), midnight.date() - timedelta(days=1): Decimal("0.001")}


def test_a_superseded_result_is_paid_for_and_a_repeated_one_only_once() -> None:
    model = priced_model()
    check = paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    update_check(actor=None, check=check, interval_seconds=120)
    assert record(heard(claim, tokens=4_000)).kept == 0
    assert record(heard(claim, tokens=4_000)).kept == 0
    assert account(model.provider) == (Decimal("0.004"), 0)
    assert day_of(model).looks == 1


def test_the_result_of_a_check_that_is_gone_is_paid_for() -> None:
    model = priced_model()
    check = paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    delete_check(actor=None, check=check)
    record(heard(claim, tokens=4_000))
    assert account(model.provider) == (Decimal("0.004"), 0)


def test_what_nobody_tells_the_cost_of_counts_in_full_as_an_estimate() -> None:
    model = priced_model()
    paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    assert accounts.expire_unsettled() == 0
    Reservation.objects.update(expires_at=database_now() - timedelta(seconds=1))
    assert accounts.expire_unsettled() == 1
    assert account(model.provider) == account(None) == (MOST, 0)
    day = day_of(model)
    assert (day.looks, day.estimated_looks, day.cost, day.tokens_out) == (1, 1, MOST, 0)
    record(heard(claim, tokens=4_000))
    assert account(model.provider) == (MOST, 0), "counted once, and not again when it arrives after all"


def test_one_that_expired_has_left_its_place() -> None:
    model = priced_model(paid_at_once=1)
    paid_check(model)
    admission.admit(local().pk, claims())
    Reservation.objects.update(expires_at=database_now() - timedelta(seconds=1))
    CheckRegion.objects.update(lease_until=None, next_due_at=database_now())
    assert len(admission.admit(local().pk, claims())) == 1


def test_what_began_in_a_month_is_paid_from_that_months_money() -> None:
    model = priced_model()
    paid_check(model)
    with clock.frozen(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)):
        [claim] = admission.admit(local().pk, claims())
    began = datetime(2026, 2, 1, 0, 0, 1, tzinfo=UTC)
    accounts.settle([heard(claim, started_at=began.timestamp())], {"local": local().pk}, began)
    january = BudgetMonth.objects.get(provider=model.provider)
    assert (str(january.month), january.spent, january.reserved) == ("2026-01-01", Decimal("0.005"), Decimal(0))
    assert str(day_of(model).day) == "2026-01-31"


def test_what_was_never_sent_gives_its_money_back() -> None:
    model = priced_model()
    check = paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    accounts.withdraw([(check.pk, local().pk, claim.generation)])
    assert account(model.provider) == (0, 0)
    assert not SpendDay.objects.exists()
