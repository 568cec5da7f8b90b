"""A page that keeps itself up to date, says how fresh it is, and leaves when its session ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from tests.browser.people import enter
from tests.checks.looking import FAILED, OK, look, make_check
from tests.factories import make_user
from tests.live.valkey import BreakableValkey, breakable_valkey
from tests.live.web_process import WebProcess, web_process


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_user("operator", username="alice")


def open_live(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")


def test_the_overview_shows_what_broke_and_what_recovered_without_a_reload(
    page: Page, web: WebProcess, alice: User, outside: Callable[..., None]
) -> None:
    check = make_check("Checkout", failure_threshold=1)
    outside(look, check, OK)
    enter(page, web, alice)
    open_live(page, "/")
    page.evaluate("window.wasNotReloaded = true")
    wrong = page.get_by_role("region", name="Wrong now")
    expect(wrong).to_contain_text("Nothing is wrong.")

    outside(look, check, FAILED)
    row = wrong.get_by_role("row").filter(has_text="Checkout")
    expect(row).to_contain_text("Outage")

    outside(look, check, OK)
    expect(wrong).to_contain_text("Nothing is wrong.")
    expect(row).to_have_count(0)
    assert page.evaluate("window.wasNotReloaded") is True


def test_signing_out_in_one_tab_leads_the_others_to_the_login(page: Page, web: WebProcess, alice: User) -> None:
    enter(page, web, alice)
    open_live(page, "/")
    other = page.context.new_page()
    open_live(other, "/")

    other.get_by_label("Account: alice").click()
    other.get_by_role("button", name="Sign out").click()

    expect(page).to_have_url(re.compile(r"/login/"))


@pytest.fixture
def breakable() -> Iterator[BreakableValkey]:
    with breakable_valkey() as valkey:
        yield valkey


def test_a_page_says_that_it_lost_the_connection_and_comes_back_by_itself(
    breakable: BreakableValkey,
    database_name: str,
    alice: User,
    open_browser: Callable[..., Page],
) -> None:
    with web_process(database_name, {"REDIS_URL": breakable.url}) as web:
        page = open_browser(base_url=web.url)
        enter(page, web, alice)
        open_live(page, "/")
        connection = page.locator("[data-connection]")

        breakable.stop()
        expect(connection).to_have_attribute("data-connection", re.compile("reconnecting|polling"))
        expect(page.locator("main h1")).to_be_visible()

        breakable.start()
        expect(connection).to_have_attribute("data-connection", "live", timeout=40_000)
