"""Pages of AI models in a real browser: charts with tables, periods, comparing, and all of it on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalog.models import AIModel
from tests.browser.people import enter
from tests.dashboard.model_past import PROMPT, add_canary_run, fill_past, set_state, set_status
from tests.factories import make_model, make_provider, make_user
from tests.live.web_process import WebProcess

PHONE = {"width": 360, "height": 740}
LONG = "vendor/a-model-with-a-very-long-name-that-nobody-can-read-on-a-telephone-2026-11-21"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_user("operator", username="alice")


@pytest.fixture
def desk(page: Page, web: WebProcess, alice: User) -> Page:
    """Alice's browser."""
    enter(page, web, alice)
    return page


@pytest.fixture
def models(transactional_db: None) -> list[AIModel]:
    """Two models with eight days behind them, the first of them rate limited; and one nobody looked at."""
    provider = make_provider("OpenAI", dialect="openai")
    found = [make_model(provider, name) for name in ("gpt-5", LONG, "new-one")]
    for seed, model in enumerate(found[:2]):
        checks = fill_past(model, 8, seed=seed, base_ms=300.0 * (seed + 1))
        add_canary_run(checks["ai_canary"], PROMPT | {"passed": False})
    check = found[0].target.checks.get(kind="ai_stream")
    set_state(check, state="degraded", reason="rate_limited", details={"actual": 429})
    set_status(found[0], "degraded", "rate_limited", check)
    return found


CHARTS = {
    "first-token": ["p50", "p95", "p99", "first answer token, p50"],
    "speed": ["p50", "p5", "p95"],
    "duration": ["p50", "p95", "p99"],
    "errors": ["Overloaded"],
    "spend-chart": ["Cost of a day"],
}


def test_every_chart_is_drawn_and_says_the_same_as_a_table(desk: Page, models: list[AIModel]) -> None:
    desk.goto(f"{models[0].target.get_absolute_url()}?range=7d")
    for name, lines in CHARTS.items():
        chart = desk.locator(f"#{name}")
        expect(chart.locator("canvas")).to_be_visible()
        legend = chart.locator("[data-chart-legend] tbody th")
        assert legend.all_inner_texts()[: len(lines)] == lines
        chart.locator("summary").focus()
        desk.keyboard.press("Enter")
        table = chart.get_by_role("region")
        expect(table).to_contain_text(lines[0])
        assert table.locator("tbody tr").count() > 5


def test_a_period_is_chosen_by_keyboard_and_stays_in_the_address(desk: Page, models: list[AIModel]) -> None:
    desk.goto(models[0].target.get_absolute_url())
    choice = desk.get_by_role("group", name="Period").get_by_role("link", name="90 d")
    choice.focus()
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(r"range=90d"))
    expect(choice).to_have_attribute("aria-current", "true")
    expect(desk.locator("#panel-uptime")).to_contain_text("Uptime 90 d")
    expect(desk.locator("#first-token canvas")).to_be_visible()


def test_what_differs_is_marked_and_whose_fault_it_is_stands_on_top(desk: Page, models: list[AIModel]) -> None:
    desk.goto(models[0].target.get_absolute_url())
    expect(desk.locator("#panel-status")).to_contain_text("Whose fault: Ours")
    difference = desk.locator(".difference")
    expect(difference.locator("del")).to_contain_text("Paris")
    expect(difference.locator("ins")).to_contain_text("Lyon")


def test_models_are_selected_compared_sorted_and_taken_away(desk: Page, models: list[AIModel]) -> None:
    desk.goto("/models/")
    for name in ("gpt-5", LONG):
        desk.get_by_role("checkbox", name=f"Select {name}").check()
    desk.get_by_role("button", name="Compare").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Compare models")
    legend = desk.locator("#first-token [data-chart-legend] tbody th")
    expect(legend).to_have_text(["gpt-5", LONG])
    rows = desk.locator("#compared tbody tr")
    desk.locator("#compared thead").get_by_role("link", name="First token p50").click()
    expect(desk.locator('#compared th[aria-sort="ascending"]')).to_contain_text("First token p50")
    expect(rows.first).to_contain_text("gpt-5")
    desk.locator("#compared thead").get_by_role("link", name="First token p50").click()
    expect(rows.last).to_contain_text("gpt-5")

    desk.get_by_label("Another model").select_option(label="new-one")
    desk.get_by_role("button", name="Add", exact=True).click()
    expect(rows).to_have_count(3)
    desk.get_by_role("link", name="Remove gpt-5").click()
    expect(rows).to_have_count(2)
    expect(desk.locator("#compared")).not_to_contain_text("gpt-5")


def test_a_model_without_a_streaming_check_leads_to_the_form_of_one(desk: Page, models: list[AIModel]) -> None:
    desk.goto(models[2].target.get_absolute_url())
    desk.get_by_role("link", name="Add a streaming check").click()
    expect(desk).to_have_url(re.compile(rf"/checks/new/\?target={models[2].pk}&kind=ai_stream"))


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en-GB", "light", 360), ("ko-KR", "dark", 360), ("ko-KR", "light", 768), ("en-GB", "dark", 1_024)],
)
def test_no_page_of_models_is_wider_than_its_screen(
    open_browser: Callable[..., Page],
    web: WebProcess,
    alice: User,
    models: list[AIModel],
    language: str,
    scheme: Any,
    width: int,
) -> None:
    page = open_browser(viewport={"width": width, "height": 740}, locale=language, color_scheme=scheme)
    enter(page, web, alice)
    provider = models[0].provider
    addresses = [
        f"{models[0].target.get_absolute_url()}?range=7d",
        models[1].target.get_absolute_url(),
        models[2].target.get_absolute_url(),
        f"/models/compare/?ids={provider.pk}&range=7d",
        "/models/compare/",
        "/models/",
        provider.target.get_absolute_url(),
        "/",
    ]
    for address in addresses:
        page.goto(address)
        if "range=" in address:
            expect(page.locator("#first-token canvas")).to_be_visible()
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} px too wide"


def test_on_a_phone_models_are_sorted_by_keyboard_and_legends_are_whole(
    open_browser: Callable[..., Page], web: WebProcess, alice: User, models: list[AIModel]
) -> None:
    page = open_browser(viewport=PHONE)
    enter(page, web, alice)
    page.goto(f"/models/compare/?ids={models[0].provider_id}&range=7d")
    head = page.get_by_role("columnheader", name="Speed p50").get_by_role("link")
    head.scroll_into_view_if_needed()
    box = head.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    head.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"sort=speed"))
    expect(page.locator("#speed canvas")).to_be_visible()
    for legend in page.locator(".chart-legend").all():
        inside = legend.evaluate("table => table.getBoundingClientRect().right <= innerWidth - 12")
        assert inside
