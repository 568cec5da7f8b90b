"""What the minute brings: looks nobody told of, and a month with new money."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.catalog.budgets import set_cap
from apps.checks.models import CheckRegion, Reservation
from apps.checks.signals import housekeeping
from apps.checks.spending import admission
from apps.core import clock
from apps.core.clock import database_now
from tests.checks.looking import local, record
from tests.checks.spending.paying import MOST, account, claims, heard, paid_check, priced_model

pytestmark = pytest.mark.django_db


def next_month() -> datetime:
    return (clock.now().replace(day=1) + timedelta(days=40)).replace(day=1, hour=0, minute=1)


def keep_house() -> None:
    for _receiver, answer in housekeeping.send_robust(sender=None):
        assert not isinstance(answer, Exception), answer


def test_housekeeping_counts_what_nobody_told_the_cost_of() -> None:
    model = priced_model()
    paid_check(model)
    admission.admit(local().pk, claims())
    Reservation.objects.update(expires_at=database_now() - timedelta(seconds=1))
    keep_house()
    assert account(model.provider) == (MOST, 0)


def test_a_new_month_has_new_money() -> None:
    model = priced_model()
    check = paid_check(model, interval_seconds=86_400)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.012"))
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim, tokens=10_000))
    CheckRegion.objects.update(next_due_at=database_now())
    assert admission.admit(local().pk, claims()) == []
    stopped = check.regions.get()
    keep_house()
    row = check.regions.get()
    assert (row.reason, row.next_due_at) == ("budget_spent", stopped.next_due_at), "the month is the same"
    with clock.frozen(next_month()):
        keep_house()
        assert check.regions.get().next_due_at <= database_now(), "not only tomorrow, when it would be due"
        assert len(admission.admit(local().pk, claims())) == 1
        assert account(model.provider) == (0, MOST)
    assert account(model.provider) == (Decimal("0.01"), 0)


def test_a_cap_of_nothing_is_asked_about_once_a_month_and_not_once_a_minute() -> None:
    model = priced_model()
    check = paid_check(model, interval_seconds=86_400)
    set_cap(actor=None, provider=None, monthly_cap=Decimal(0))
    admission.admit(local().pk, claims())
    CheckRegion.objects.update(verdict_since=database_now() - timedelta(days=40))
    keep_house()
    assert admission.admit(local().pk, claims()) == []
    refused = check.regions.get()
    assert refused.reason == "budget_spent"
    keep_house()
    assert check.regions.get().next_due_at == refused.next_due_at > database_now()
