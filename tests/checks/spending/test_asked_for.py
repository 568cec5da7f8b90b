"""Looks somebody asks for: they are paid for as all others, and say so when there is no money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from redis import Redis

from apps.catalog.budgets import set_cap
from apps.checks import dispatch
from apps.checks.models import Check, CheckRun
from apps.checks.regions.broker import broker
from apps.checks.spending import accounts, admission
from apps.checks.spending.admission import BudgetSpent, NotAdmitted
from apps.core.clock import database_now
from apps.core.ids import uuid7
from apps.probes.base import Outcome, OutcomeState, Reason
from tests.checks.looking import local
from tests.checks.spending.paying import KIND, MOST, account, paid_check, priced_model, set_aside
from tests.dashboard.regions import quiet_broker
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def valkey() -> Iterator[Redis]:
    client = broker()
    client.delete("portal:probe.local")
    with quiet_broker():
        yield client
    client.delete("portal:probe.local")


def run_of(check: Check) -> CheckRun:
    now = database_now()
    return CheckRun.objects.create(id=uuid7(), source_check=check, requested_at=now, expires_at=now)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_run_sets_its_money_aside_also_of_a_paused_check(valkey: Redis, enabled: bool) -> None:
    model = priced_model()
    for number in range(2):
        dispatch.send_run(run_of(paid_check(model, number, enabled=enabled)))
    assert valkey.llen("portal:probe.local") == 2
    assert account(model.provider) == (0, 2 * MOST)


def test_a_run_without_money_is_withdrawn_and_says_why(valkey: Redis) -> None:
    model = priced_model()
    check = paid_check(model)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal(0))
    with pytest.raises(BudgetSpent) as caught:
        dispatch.send_run(run_of(check))
    [sentence] = caught.value.messages
    assert sentence.startswith(f"The budget of {model.provider.target.name} for ")
    assert "Raise its cap" in sentence
    assert not CheckRun.objects.exists()
    assert valkey.llen("portal:probe.local") == 0
    assert check.regions.get().lease_until is None


def test_a_run_without_a_place_is_asked_for_again_later(valkey: Redis) -> None:
    model = priced_model(paid_at_once=1)
    dispatch.send_run(run_of(paid_check(model, 1)))
    with pytest.raises(NotAdmitted, match="Try again in a few seconds"):
        dispatch.send_run(run_of(paid_check(model, 2)))


@pytest.mark.django_db(transaction=True)
def test_over_rest_the_sentence_is_the_answer(valkey: Redis) -> None:
    model = priced_model()
    check = paid_check(model)
    set_cap(actor=None, provider=None, monthly_cap=Decimal(0))
    answer = api_client(make_user("operator")).post(f"/api/v1/checks/{check.pk}/run/")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The budget of all providers together for ")
    assert "no money left" in answer.json()["detail"]


def test_one_look_is_admitted_and_settled_by_itself() -> None:
    model = priced_model()
    key = admission.admit_now(target=model.target, kind=KIND, config={}, timeout_seconds=5)
    assert account(model.provider) == (0, MOST)
    outcome = Outcome(state=OutcomeState.OK, reason=Reason.OK, measurements={"tokens_in": 0.0, "tokens_out": 1_000.0})
    accounts.settle_now(key, outcome)
    assert account(model.provider) == (Decimal("0.001"), 0)


def test_one_that_never_went_out_gives_its_money_back() -> None:
    model = priced_model()
    key = admission.admit_now(target=model.target, kind=KIND, config={}, timeout_seconds=5)
    accounts.settle_now(key, None)
    assert account(model.provider) == (0, 0)
    assert set_aside() == 0


def test_what_costs_nothing_needs_no_key() -> None:
    service = make_service()
    assert admission.admit_now(target=service.target, kind="http", config={}, timeout_seconds=5) is None
    accounts.settle_now(None, None)


def test_a_look_that_cannot_be_sent_gives_its_money_back(valkey: Redis) -> None:
    model = priced_model()
    check = paid_check(model)
    # A config its own kind does not read any more.
    Check.objects.filter(pk=check.pk).update(config={"tokens": "{v1}not sealed by us"})
    region = local()
    dispatch.dispatch_due()
    assert account(model.provider) == (0, 0)
    assert not check.regions.filter(region=region, lease_until=None).exists()
