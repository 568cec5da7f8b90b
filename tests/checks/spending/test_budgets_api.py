"""Budgets over REST: what is spent, who sets a cap, and what follows from one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import AuditEntry, User
from apps.catalog.budgets import set_cap
from apps.catalog.models import Environment
from apps.checks.models import CheckRegion
from apps.checks.spending import admission
from apps.core import clock
from apps.core.clock import database_now
from tests.checks.looking import local, record
from tests.checks.spending.paying import claims, heard, paid_check, priced_model
from tests.factories import api_client, make_provider, make_user

pytestmark = pytest.mark.django_db


def patch(user: User, budget: Any, cap: Any) -> Any:
    return api_client(user).patch(f"/api/v1/budgets/{budget}/", {"monthly_cap": cap}, format="json")


def test_there_is_one_of_all_together_and_one_a_provider_from_the_start(operator: User) -> None:
    provider = make_provider("Acme")
    rows = api_client(operator).get("/api/v1/budgets/").json()["results"]
    assert [row["id"] for row in rows] == ["total", str(provider.pk)]
    assert rows[0]["provider"] is None
    assert rows[1] == {
        "id": str(provider.pk),
        "provider": str(provider.pk),
        "provider_name": "Acme",
        "monthly_cap": None,
        "spent": 0.0,
        "reserved": 0.0,
        "remaining": None,
        "share": None,
        "state": "none",
        "month": clock.now().date().replace(day=1).isoformat(),
        "unpriced_models": [],
    }


def test_what_is_spent_and_set_aside_is_told(operator: User) -> None:
    model = priced_model()
    paid_check(model, 1)
    paid_check(model, 2)
    set_cap(actor=None, provider=model.provider, monthly_cap=Decimal("0.05"))
    first, _second = admission.admit(local().pk, claims())
    record(heard(first, tokens=5_000))
    row = api_client(operator).get(f"/api/v1/budgets/{model.provider_id}/").json()
    assert (row["spent"], row["reserved"], row["remaining"]) == (0.005, 0.01, 0.035)
    assert (row["share"], row["state"]) == (0.1, "ok")


@pytest.mark.parametrize(
    ("cap", "state", "share"),
    [("1", "ok", 0.04), ("0.05", "warned", 0.8), ("0.04", "spent", 1.0), ("0.01", "spent", 4.0), (None, "none", None)],
)
def test_the_state_follows_the_share_of_the_cap(operator: User, cap: str | None, state: str, share: float) -> None:
    model = priced_model()
    paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim, tokens=40_000))
    answer = patch(operator, model.provider_id, cap)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["state"], answer.json()["share"]) == (state, share)
    assert bool(answer.json()["warnings"]) == (state == "spent")


def test_a_cap_below_what_was_spent_is_accepted_and_stops_paid_looks_at_once(operator: User) -> None:
    model = priced_model()
    check = paid_check(model)
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim, tokens=5_000))
    answer = patch(operator, model.provider_id, "0.001")
    assert answer.status_code == 200
    assert "paid looks stop at once" in answer.json()["warnings"][0]
    CheckRegion.objects.update(next_due_at=database_now())
    assert admission.admit(local().pk, claims()) == []
    assert check.regions.get().reason == "budget_spent"


@pytest.mark.parametrize("whose", ["provider", "total"])
def test_a_cap_that_is_raised_lets_looks_go_on_at_once(operator: User, whose: str) -> None:
    model = priced_model()
    check = paid_check(model, interval_seconds=86_400)
    budget = model.provider_id if whose == "provider" else "total"
    assert patch(operator, budget, 0).status_code == 200
    assert admission.admit(local().pk, claims()) == []
    assert check.regions.get().next_due_at > database_now()
    assert patch(operator, budget, 10).json()["state"] == "ok"
    row = check.regions.get()
    assert row.next_due_at <= database_now()
    assert (row.verdict, row.reason) == ("unknown", "not_measured")
    [claim] = admission.admit(local().pk, claims())
    record(heard(claim))
    assert api_client(operator).get(f"/api/v1/budgets/{budget}/").json()["state"] == "ok"


@pytest.mark.parametrize("cap", [-1, "-0.01", "much", "NaN", "Infinity", 10**9, "0.00001", [], {}])
def test_a_cap_that_is_none_is_refused(operator: User, cap: Any) -> None:
    provider = make_provider()
    answer = patch(operator, provider.pk, cap)
    assert answer.status_code == 400
    assert list(answer.json()) == ["monthly_cap"]
    assert not hasattr(provider, "budget")


def test_a_cap_is_set_by_those_who_work_where_it_counts(production: Environment, development: Environment) -> None:
    provider = make_provider(environment=development)
    inside, everywhere = make_user("operator", development), make_user("operator")
    assert patch(inside, provider.pk, 5).status_code == 200
    assert patch(inside, "total", 5).status_code == 403
    assert patch(make_user("viewer", development), provider.pk, 5).status_code == 403
    assert patch(make_user("admin", production), provider.pk, 5).status_code == 404
    assert patch(make_user(None), "total", 5).status_code == 404
    assert patch(everywhere, "total", 5).status_code == 200
    assert AuditEntry.objects.filter(object_type="budget").count() == 2


def test_models_without_a_price_are_named(operator: User) -> None:
    priced, unpriced = priced_model(), priced_model(dollars=None)
    paid_check(priced)
    paid_check(unpriced)
    rows = api_client(operator).get("/api/v1/budgets/").json()["results"]
    named = {row["id"]: row["unpriced_models"] for row in rows}
    assert named == {
        "total": [unpriced.target.name],
        str(priced.provider_id): [],
        str(unpriced.provider_id): [unpriced.target.name],
    }
    assert unpriced.target.name in patch(operator, unpriced.provider_id, 5).json()["warnings"][0]
