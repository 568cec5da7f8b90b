"""Money that is partly estimated says so wherever it is shown, and money that is not says nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.budgets import set_cap
from apps.catalog.models import AIModel
from apps.checks.models import BudgetMonth
from apps.core import clock
from tests.dashboard.model_past import add_checks, set_state, spend
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db
ESTIMATED = "with estimates"


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def models(db: None) -> list[AIModel]:
    """One of a provider whose usage was named always, and one of a provider whose usage was not, three times."""
    return [_model("Counting", 0), _model("Silent", 3)]


def _model(name: str, estimated: int) -> AIModel:
    provider = make_provider(name)
    model = make_model(provider, f"{name.lower()}-1")
    set_state(add_checks(model, ("ai_stream",))["ai_stream"])
    spend(model, clock.now(), "0.5", estimated_looks=estimated)
    BudgetMonth.objects.create(provider=provider, month=clock.now().date().replace(day=1), spent="0.5")
    return model


def read(client: Client, address: str) -> str:
    return text_of(client.get(address).content).replace("\u00a0", " ")


def test_a_list_marks_the_model_and_its_provider(page: Client, models: list[AIModel]) -> None:
    assert read(page, "/models/").count(ESTIMATED) == 2
    for name, marks in (("Counting", 0), ("Silent", 2)):
        assert read(page, f"/models/?q={name}").count(ESTIMATED) == marks
    assert b"Of 3 looks the provider named no usage: their cost is estimated." in page.get("/models/").content


def test_the_compare_page_marks_the_model_and_the_sum(page: Client, models: list[AIModel]) -> None:
    assert read(page, f"/models/compare/?ids={models[0].pk}").count(ESTIMATED) == 0
    both = ",".join(str(model.pk) for model in models)
    assert read(page, f"/models/compare/?ids={both}").count(ESTIMATED) == 2


@pytest.mark.parametrize("cap", [None, Decimal("3.00")])
def test_cards_pages_of_providers_and_budgets_mark_it(page: Client, models: list[AIModel], cap: Decimal | None) -> None:
    for model in models:
        set_cap(actor=None, provider=model.provider, monthly_cap=cap)
    counting, silent = (read(page, model.provider.target.get_absolute_url()) for model in models)
    assert ESTIMATED not in counting
    assert ESTIMATED in silent
    assert read(page, "/").count(ESTIMATED) == 1
    budgets = read(page, "/settings/budgets/")
    assert budgets.count(ESTIMATED) == (2 if "All providers together $" in budgets else 1)


def test_what_was_estimated_last_month_is_no_estimate_of_this_one(page: Client) -> None:
    model = _model("Counting", 0)
    spend(model, clock.now().replace(day=1) - timedelta(days=1), "0.5", estimated_looks=9)
    assert ESTIMATED not in read(page, "/models/") + read(page, "/settings/budgets/") + read(page, "/")
