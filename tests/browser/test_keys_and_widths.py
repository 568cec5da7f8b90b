"""Keys the help promises, and columns that give way in the order of what they are worth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.checks.models import Check, Incident
from tests.browser.people import enter
from tests.checks.looking import FAILED, look, make_check
from tests.dashboard.model_past import fill_past
from tests.factories import make_model, make_provider, make_service, make_user
from tests.live.web_process import WebProcess

LONG = "meta-llama/llama-4-maverick-17b-128e-instruct-fp8"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_user("operator", username="alice")


@pytest.fixture
def desk(page: Page, web: WebProcess, alice: User) -> Page:
    """Alice's browser, 1280 px wide."""
    enter(page, web, alice)
    return page


def test_the_key_acknowledges_the_incident_of_the_row_and_of_no_other(desk: Page, outside: Callable[..., Any]) -> None:
    for name in ("Shop", "Payments"):
        outside(look, make_check(name), FAILED, FAILED)
    desk.goto("/incidents/")
    expect(desk.get_by_role("button", name="Acknowledge")).to_have_count(2)
    desk.keyboard.press("a")
    expect(desk.get_by_role("button", name="Acknowledge")).to_have_count(2)
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    chosen = desk.locator("[data-row].is-current")
    chosen_id = str(chosen.get_attribute("id")).removeprefix("incident-")
    desk.keyboard.press("a")
    expect(desk.locator(f"#incident-{chosen_id}")).to_contain_text("alice")
    assert [str(one.pk) for one in Incident.objects.filter(acknowledged_at__isnull=False)] == [chosen_id]


def test_arrows_go_through_what_is_suggested_and_enter_opens_it(desk: Page) -> None:
    target = make_service("Payments gateway").target
    desk.goto("/services/")
    desk.keyboard.press("/")
    desk.keyboard.type("pay")
    suggested = desk.locator("[data-suggestion]")
    expect(suggested.first).to_contain_text("Payments gateway")
    desk.keyboard.press("ArrowDown")
    expect(suggested.first).to_be_focused()
    desk.keyboard.press("ArrowDown")
    expect(suggested.nth(1)).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator("[data-search]")).to_be_focused()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(str(target.pk)))


@pytest.mark.parametrize("width", [1024, 1280, 1366])
def test_models_show_their_spend_and_compare_fits_its_card(desk: Page, width: int) -> None:
    provider = make_provider("openrouter-production-gateway-eu-central-1-of-the-north", dialect="openai")
    models = [make_model(provider, f"{LONG}-{number}") for number in range(7)]
    fill_past(models[0], 2)
    desk.set_viewport_size({"width": width, "height": 800})
    desk.goto("/models/")
    expect(desk.locator("#targets thead th[data-column=spend]")).to_be_visible()
    desk.locator("summary", has_text="Columns").click()
    offered = desk.locator('[data-columns-of] .menu-item:has([value="since"])').is_visible()
    assert offered == desk.locator("#targets thead th[data-column=since]").is_visible()
    desk.goto(f"/models/compare/?ids={','.join(str(model.pk) for model in models)}")
    expect(desk.locator("#compared tbody tr")).to_have_count(7)
    for part in ("document.documentElement", "document.getElementById('compared').parentElement"):
        assert desk.evaluate(f"{part}.scrollWidth - {part}.clientWidth") <= 0


def test_on_a_phone_tabs_fade_where_more_of_them_wait(desk: Page) -> None:
    desk.set_viewport_size({"width": 360, "height": 740})
    desk.goto("/settings/health/")
    expect(desk.locator(".tabs").first).to_have_class(re.compile("has-before"))
    desk.set_viewport_size({"width": 1280, "height": 740})
    expect(desk.locator(".tabs").first).not_to_have_class(re.compile("has-"))


def test_a_mark_of_a_long_name_does_not_lie_over_it(desk: Page) -> None:
    check = make_check("Shop")
    Check.objects.update(affects_status=False, name="Certificate and name of the shop in the north")
    desk.goto(check.target.get_absolute_url())
    name = desk.locator(".name-cell .row-link").bounding_box()
    mark = desk.locator(".name-cell .tag").bounding_box()
    assert name is not None and mark is not None
    assert mark["y"] >= name["y"] + name["height"] or mark["x"] >= name["x"] + name["width"] + 4
