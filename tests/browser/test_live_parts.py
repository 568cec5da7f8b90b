"""What a refresh must never do: move a row from under the pointer, lose typed text, close a menu, or pass unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.checks.models import Check
from tests.browser.people import enter
from tests.checks.looking import FAILED, OK, look, make_check
from tests.factories import make_user
from tests.live.web_process import WebProcess

VERDICT = ".verdict-sentence"


@pytest.fixture
def checks(transactional_db: None, outside: Callable[..., None]) -> list[Check]:
    made = [make_check(name, failure_threshold=1) for name in ("Checkout", "Search")]
    for check in made:
        outside(look, check, OK)
    return made


@pytest.fixture
def overview(page: Page, web: WebProcess, checks: list[Check]) -> Page:
    user: User = make_user("operator", username="alice")
    enter(page, web, user)
    page.goto("/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    expect(page.locator(VERDICT)).to_contain_text("operational")
    return page


def test_a_row_stays_under_the_pointer_until_the_pointer_leaves(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    outside(look, checks[0], FAILED)
    rows = overview.locator("#wrong tbody tr")
    expect(rows).to_have_count(1)
    rows.first.hover()

    outside(look, checks[1], FAILED)
    expect(overview.locator(VERDICT)).to_contain_text("2 in outage")
    expect(rows).to_have_count(1)

    overview.locator("h1").hover()
    expect(rows).to_have_count(2)


def test_a_part_somebody_types_in_waits_until_they_are_done(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    overview.evaluate(
        """() => {
            const field = document.createElement("input");
            field.id = "typed";
            field.value = "half a sentence";
            document.querySelector(".verdict").append(field);
        }"""
    )
    outside(look, checks[0], FAILED)
    expect(overview.locator("#wrong")).to_contain_text("Checkout")
    expect(overview.locator("#typed")).to_have_value("half a sentence")
    expect(overview.locator(VERDICT)).to_contain_text("operational")

    overview.locator("#typed").fill("")
    overview.locator("h1").click()
    expect(overview.locator(VERDICT)).to_contain_text("1 in outage")


def test_an_open_menu_and_the_focus_survive_a_refresh(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    outside(look, checks[0], FAILED)
    link = overview.locator("#wrong tbody a.row-link").first
    link.focus()
    overview.get_by_label("Theme").first.click()
    link.focus()
    outside(look, checks[1], FAILED)
    expect(overview.locator("#wrong tbody tr")).to_have_count(2)
    assert overview.evaluate("document.activeElement.textContent").strip().endswith("Checkout")


def test_a_new_outage_is_said_flashes_and_counts_in_the_tab(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    overview.evaluate(
        """() => {
            window.flashed = [];
            window.said = [];
            document.addEventListener("animationstart", (event) => window.flashed.push(event.animationName));
            new MutationObserver(() => window.said.push(document.getElementById("announcer").textContent))
                .observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
        }"""
    )
    outside(look, checks[0], FAILED)
    expect(overview).to_have_title(re.compile(r"^\(1\) "))
    overview.wait_for_function("() => window.said.join(' ').includes('New outage: Checkout')")
    overview.wait_for_function("() => window.flashed.includes('flash')")

    outside(look, checks[0], OK)
    expect(overview).to_have_title(re.compile(r"^Overview"))


def test_a_part_that_cannot_be_refreshed_says_so_and_keeps_what_it_shows(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    overview.route("**/fragments/wrong/", lambda route: route.abort())
    part = overview.locator("[data-live]").filter(has=overview.locator("#wrong-title"))
    overview.keyboard.press("r")
    notice = part.locator("[data-live-failed]")
    expect(notice).to_be_visible(timeout=15_000)
    expect(part.locator("#wrong-title")).to_be_visible()

    overview.unroute("**/fragments/wrong/")
    notice.get_by_role("button", name="Retry").click()
    expect(notice).to_have_count(0)


def test_the_parts_that_follow_one_event_are_asked_for_together(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    overview.evaluate(
        """() => {
            window.asked = [performance.now()];
            document.addEventListener("htmx:beforeRequest", () => window.asked.push(performance.now()));
        }"""
    )
    overview.wait_for_function("() => performance.now() - window.asked.at(-1) > 1500")
    overview.evaluate("() => { window.asked = []; }")
    outside(look, checks[0], FAILED)
    overview.wait_for_function("() => window.asked.length >= 5")
    starts: list[float] = overview.evaluate("window.asked")
    assert starts[3] - starts[0] < 100
    assert starts[4] - starts[0] >= 980


def test_a_doubt_reaches_an_open_page_though_the_status_stays(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    doubtful = "1 of 2 looks failed, confirming."
    services = overview.get_by_role("region", name="Services")
    outside(lambda: Check.objects.filter(pk=checks[0].pk).update(failure_threshold=2))
    expect(services).not_to_contain_text(doubtful)
    outside(look, checks[0], FAILED)
    expect(services).to_contain_text(doubtful)
    expect(overview.locator(VERDICT)).to_contain_text("operational")
    outside(look, checks[0], OK)
    expect(services).not_to_contain_text(doubtful)


def test_a_page_asks_at_most_four_times_a_second_however_much_happens(
    overview: Page, checks: list[Check], outside: Callable[..., None]
) -> None:
    overview.evaluate(
        """() => {
            window.asked = [];
            document.addEventListener("htmx:beforeRequest", () => window.asked.push(performance.now()));
        }"""
    )
    for _turn in range(5):
        outside(look, checks[0], FAILED, OK)
    overview.wait_for_function("() => window.asked.length > 4 && performance.now() - window.asked.at(-1) > 1500")
    expect(overview.locator(VERDICT)).to_contain_text("operational")
    starts: list[float] = overview.evaluate("window.asked")
    busiest = max(sum(1 for other in starts if start <= other < start + 980) for start in starts)
    assert busiest <= 4, f"{busiest} requests within one second"
