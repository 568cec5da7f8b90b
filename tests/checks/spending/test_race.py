"""Any number of workers at once: the cap holds to the cent, and so does the number of places."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from apps.catalog.budgets import set_cap
from apps.checks import schedule
from apps.checks.models import BudgetMonth, CheckRegion, Reservation, SpendDay
from apps.checks.schedule import Claim
from apps.checks.spending import admission
from apps.core.clock import database_now
from apps.probes.base import Finished
from tests.checks.looking import local, record
from tests.checks.spending.paying import MOST, account, heard, paid_check, priced_model

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4
LOOKS = 60


def at_once(work: Callable[[], list[Claim]]) -> list[Claim]:
    """What all workers were given, each on a connection of its own, starting together."""
    barrier = threading.Barrier(WORKERS)

    def run() -> list[Claim]:
        try:
            barrier.wait(timeout=30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as executor:
        found = [executor.submit(run) for _ in range(WORKERS)]
        return [claim for one in found for claim in one.result(timeout=60)]


def compete() -> list[Claim]:
    """As a tick does, again and again, a few claims at a time."""
    region, admitted = local().pk, []
    while due := schedule.claim_due(region, 5):
        admitted += admission.admit(region, due)
    return admitted


def test_four_workers_never_set_aside_more_than_the_cap() -> None:
    one, two = (priced_model(paid_at_once=1_000) for _ in range(2))
    for number in range(LOOKS):
        paid_check(one if number % 2 else two, number)
    set_cap(actor=None, provider=one.provider, monthly_cap=10 * MOST)
    set_cap(actor=None, provider=None, monthly_cap=25 * MOST)
    admitted = at_once(compete)
    assert len({(claim.check_id, claim.generation) for claim in admitted}) == len(admitted) == 25
    assert account(None) == (0, 25 * MOST)
    assert account(one.provider)[1] <= 10 * MOST
    assert Reservation.objects.count() == 25


def test_four_workers_never_take_more_places_than_there_are() -> None:
    model = priced_model(paid_at_once=7)
    for number in range(LOOKS):
        paid_check(model, number)
    assert len(at_once(compete)) == 7


def test_workers_that_send_and_record_at_once_spend_the_cap_and_not_a_cent_more() -> None:
    model = priced_model(paid_at_once=1_000)
    for number in range(LOOKS):
        paid_check(model, number)
    cap = 30 * MOST
    set_cap(actor=None, provider=model.provider, monthly_cap=cap)
    tokens = int(MOST * 1_000_000)

    def work() -> list[Claim]:
        region, done = local().pk, []
        while due := schedule.claim_due(region, 3):
            admitted = admission.admit(region, due)
            seen: list[Finished] = [heard(claim, tokens=tokens) for claim in admitted]
            record(*seen)
            # Nothing is repeated for being late, as with messages that are delivered twice.
            record(*seen)
            done += admitted
        return done

    for _ in range(3):
        at_once(work)
        assert sum(account(model.provider)) <= cap
        CheckRegion.objects.update(next_due_at=database_now(), lease_until=None)
    assert account(model.provider) == account(None) == (cap, Decimal(0))
    assert not Reservation.objects.exists()
    assert sum(day.cost for day in SpendDay.objects.all()) == cap
    assert BudgetMonth.objects.count() == 2
