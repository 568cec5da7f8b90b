"""Settings → Budgets and Prices: what is spent in words, caps, and the price table with its history."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.budgets import set_cap
from apps.catalog.models import Environment, Price
from apps.checks.models import BudgetMonth
from apps.core import clock
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text_of(answer.content).replace("\u00a0", " ")


def spend(provider: Any, spent: str, reserved: str = "0") -> None:
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=provider, month=month, spent=Decimal(spent), reserved=Decimal(reserved))


@pytest.mark.parametrize(
    ("cap", "spent", "words"),
    [
        (None, "1.5", ("No cap", "$1.50 spent", "Set a cap")),
        ("10", "1.5", ("Within the cap", "$1.50 of $10", "15", "$8.25 left", "$0.25 set aside")),
        ("10", "8", ("Nearly spent", "$8.00 of $10", "80")),
        ("0", "0", ("Paid looks are off", "$0 spent", "The cap is 0", "free ones go on")),
        ("10", "12", ("Spent: paid looks stopped", "$12.00 of $10", "$0 left", "free ones go on")),
    ],
)
def test_a_budget_says_in_words_how_far_it_has_come(
    page: Client, cap: str | None, spent: str, words: tuple[str, ...]
) -> None:
    provider = make_provider("Acme")
    set_cap(actor=None, provider=provider, monthly_cap=None if cap is None else Decimal(cap))
    spend(provider, spent, "0.25")
    text = shown(page, "/settings/budgets/")
    for word in ("Acme", "All providers together", *words):
        assert word in text, word


def test_a_cap_is_set_and_what_follows_is_said(page: Client) -> None:
    provider = make_provider("Acme")
    spend(provider, "3")
    answer = page.post(f"/settings/budgets/{provider.pk}/", {"monthly_cap": "2.50"}, follow=True)
    assert answer.redirect_chain == [("/settings/budgets/", 302)]
    assert "$3.00 is spent already, and the cap is $2.50" in text_of(answer.content)
    provider.budget.refresh_from_db()
    assert provider.budget.monthly_cap == Decimal("2.5")
    assert 'value="2.5"' in page.get(f"/settings/budgets/{provider.pk}/").content.decode()
    page.post(f"/settings/budgets/{provider.pk}/", {"monthly_cap": ""})
    provider.budget.refresh_from_db()
    assert provider.budget.monthly_cap is None


def test_a_cap_of_nothing_is_a_switch_and_no_alarm(page: Client) -> None:
    provider = make_provider("Acme")
    answer = page.post(f"/settings/budgets/{provider.pk}/", {"monthly_cap": "0"}, follow=True)
    assert "Paid looks are off: the cap is 0." in text_of(answer.content)
    assert "0: paid looks are off" in shown(page, f"/settings/budgets/{provider.pk}/")
    listed = page.get("/settings/budgets/").content.decode().partition('id="budgets"')[2].partition("</table>")[0]
    assert "Spent: paid looks stopped" not in listed
    assert "tone-bad" not in listed
    assert "Paid looks are off" in shown(page, f"/targets/{provider.pk}/")


def test_a_cap_that_is_none_is_refused_at_its_field(page: Client) -> None:
    answer = page.post("/settings/budgets/total/", {"monthly_cap": "-1"})
    assert answer.status_code == 400
    assert "cannot be negative" in text_of(answer.content)


def test_the_cap_of_all_is_set_by_those_who_work_everywhere(client: Client, development: Environment) -> None:
    client.force_login(make_user("operator", development))
    assert client.get("/settings/budgets/total/").status_code == 403
    assert "Set a cap" not in shown(client, "/settings/budgets/")


def test_the_price_table_shows_what_holds_today(page: Client) -> None:
    today = clock.now().date()
    for amount, days in ((1, 20), (2, 10), (3, -10)):
        Price.objects.create(
            dialect="openai",
            model="our-model",
            input_per_million=amount,
            output_per_million=amount,
            valid_from=today - timedelta(days=days),
        )
    text = shown(page, "/settings/prices/")
    assert "our-model and 2 from other days" in text
    row = text[text.index("our-model") :][:200]
    assert "$2.00" in row
    assert "$3.00" not in row
    assert "came with the portal" in text
    assert "List price as of 2025-12-01; check it against" in text


def test_a_price_has_its_history_and_a_new_day_begins_with_the_old_one(page: Client) -> None:
    price = Price.objects.get(dialect="openai", model="gpt-4o")
    text = shown(page, f"/settings/prices/{price.pk}/")
    assert "Now" in text and "$2.50" in text
    form = page.get(f"/settings/prices/new/?like={price.pk}").content.decode()
    assert 'value="gpt-4o"' in form and 'value="2.5"' in form
    body = {
        "dialect": "openai",
        "model": "gpt-4o",
        "input_per_million": "2",
        "output_per_million": "8",
        "cached_per_million": "",
        "valid_from": "2026-01-01",
        "note": "new contract",
    }
    answer = page.post("/settings/prices/new/", body, follow=True)
    text = text_of(answer.content)
    assert "new contract" in text and "Before" in text
    made = Price.objects.get(model="gpt-4o", valid_from=date(2026, 1, 1))
    assert page.post(f"/settings/prices/{made.pk}/edit/", {**body, "note": "old"}).status_code == 302
    made.refresh_from_db()
    assert made.note == "old"
    assert page.post(f"/settings/prices/{made.pk}/delete/").status_code == 302
    assert not Price.objects.filter(pk=made.pk).exists()


def test_mistakes_of_a_price_stand_at_their_fields(page: Client) -> None:
    body = {"model": "m", "input_per_million": "-1", "output_per_million": "", "valid_from": "2026-01-01"}
    answer = page.post("/settings/prices/new/", body)
    assert answer.status_code == 400
    assert "required" in text_of(answer.content)
    answer = page.post("/settings/prices/new/", {**body, "output_per_million": "1"})
    text = text_of(answer.content)
    assert "cannot be negative" in text
    assert "Name the provider or the dialect" in text


def test_a_viewer_reads_and_finds_nothing_to_press(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    price = Price.objects.filter(dialect="openai")[0]
    for address in ("/settings/budgets/", "/settings/prices/", f"/settings/prices/{price.pk}/"):
        text = shown(client, address)
        for button in ("Set a cap", "Add a price", "Edit", "Delete"):
            assert button not in text
    assert client.get("/settings/prices/new/").status_code == 403


def test_an_outsider_sees_no_budget_and_no_price(client: Client, outsider: User) -> None:
    client.force_login(outsider)
    assert "All providers" not in shown(client, "/settings/budgets/")
    assert "gpt-4o" not in shown(client, "/settings/prices/")
