"""Budgets and prices in a real browser: read at a glance, changed in a few keys, also on a phone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from apps.catalog.budgets import set_cap
from apps.catalog.models import Provider
from apps.checks.models import BudgetMonth
from apps.core import clock
from tests.browser.people import enter
from tests.factories import make_provider, make_user
from tests.live.web_process import WebProcess


@pytest.fixture
def desk(page: Page, web: WebProcess, transactional_db: None) -> Page:
    enter(page, web, make_user("operator", username="alice"))
    return page


def spent(name: str, cap: str | None, amount: str) -> Provider:
    provider = make_provider(name)
    set_cap(actor=None, provider=provider, monthly_cap=None if cap is None else Decimal(cap))
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=provider, month=month, spent=Decimal(amount), reserved=Decimal("0.2"))
    return provider


def fits(page: Page) -> bool:
    """Nothing sticks out of the page sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_budgets_say_in_words_and_bars_how_far_they_have_come(desk: Page) -> None:
    for row in (("Calm", "10", "1.2"), ("Close", "10", "8.6"), ("Over", "5", "5.4"), ("Free of caps", None, "3")):
        spent(*row)
    desk.goto("/settings/budgets/")
    table = desk.locator("#budgets")
    for words in ("Within the cap", "Nearly spent", "Spent: paid looks stopped", "No cap"):
        expect(table).to_contain_text(words)
    expect(table.locator("svg.meter")).to_have_count(3)
    desk.set_viewport_size({"width": 375, "height": 800})
    assert fits(desk)
    desk.get_by_role("row", name="Close").get_by_role("link", name="Change the cap").click()
    desk.get_by_label("Monthly cap").fill("-1")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("A cap cannot be negative")).to_be_visible()
    desk.get_by_label("Monthly cap").fill("20")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("row", name="Close")).to_contain_text("$8.60 of $20")


def test_a_price_gets_a_successor_and_keeps_its_history(desk: Page) -> None:
    desk.goto("/settings/prices/")
    expect(desk.locator("#prices")).to_contain_text("claude-sonnet-4-5*")
    desk.get_by_role("link", name="gpt-4o", exact=True).click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Prices of gpt-4o")
    desk.get_by_role("link", name="Add a price from another day").click()
    desk.get_by_label("Output", exact=True).fill("9")
    desk.get_by_label("Note").fill("our contract")
    desk.get_by_role("button", name="Add price").click()
    history = desk.locator("#price-history tbody tr")
    expect(history).to_have_count(2)
    expect(history.first).to_contain_text("Now")
    expect(history.first).to_contain_text("our contract")
    history.first.get_by_role("button", name="Delete").click()
    desk.get_by_role("button", name="Delete price").click()
    expect(desk.get_by_role("heading", name="Prices")).to_be_visible()
    desk.set_viewport_size({"width": 375, "height": 800})
    assert fits(desk)
