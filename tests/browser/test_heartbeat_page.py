"""A heartbeat as somebody meets it: its form answers while they type, its page when the first ping arrives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.checks.models import Check, Heartbeat
from tests.browser.people import enter
from tests.checks.heartbeats.telling import hear
from tests.factories import make_service, make_user
from tests.live.web_process import WebProcess


@pytest.fixture
def form(page: Page, web: WebProcess, transactional_db: None) -> Page:
    enter(page, web, make_user("operator", username="alice"))
    page.goto(f"/checks/new/?target={make_service('Backup').target.pk}&kind=heartbeat")
    return page


def test_the_moments_follow_what_is_typed(form: Page) -> None:
    expect(form.get_by_text("If a ping came now, the next 3 are expected")).to_be_visible()
    cron = form.get_by_label("Cron expression")
    cron.fill("0 3 * * *")
    expect(form.get_by_text("The next 3 pings are expected")).to_be_visible()
    expect(form.locator(".expected li")).to_have_count(3)
    cron.fill("0 99 * * *")
    expect(form.get_by_text("the hour (second field, 0 to 23)")).to_be_visible()


def test_the_page_changes_when_the_first_ping_arrives_and_keeps_what_was_opened(
    form: Page, outside: Callable[..., None]
) -> None:
    form.get_by_role("button", name="Add the check").click()
    verdict = form.locator(".verdict-sentence")
    expect(verdict).to_have_text("Unknown: Nothing was heard yet.")
    check = Check.objects.get()
    expect(form.locator("#ping-url")).to_contain_text(f"/ping/{Heartbeat.objects.get().ping_id}")
    python = form.locator("details.recipe", has_text="Python")
    python.locator("summary").click()
    expect(form.locator("[data-connection]")).to_have_attribute("data-connection", "live")

    outside(hear, check, "success", body=b"42 reports sent")

    expect(verdict).to_have_text("Operational: The last run ended well, and nothing is overdue.")
    expect(python).to_have_attribute("open", "")
    form.locator("#pings").get_by_role("link", name="15").click()
    expect(form.locator("#ping-body pre")).to_have_text("42 reports sent")


def test_new_addresses_are_made_only_after_asking(form: Page) -> None:
    form.get_by_role("button", name="Add the check").click()
    before = form.locator("#ping-url").inner_text()
    form.get_by_role("button", name="New addresses").click()
    dialog = form.locator("#rotate-addresses")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(form.locator("#ping-url")).to_have_text(before)
    form.get_by_role("button", name="New addresses").click()
    dialog.get_by_role("button", name="Make new addresses").click()
    expect(form.locator("#ping-url")).not_to_have_text(before)
