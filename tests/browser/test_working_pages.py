"""What an operator does all day, in a real browser: add, try, run, acknowledge, search; and all of it on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.checks.models import Check, CheckRun, Incident
from tests.browser.people import enter
from tests.checks.looking import FAILED, OK, finished, look, make_check, record
from tests.factories import make_model, make_provider, make_service, make_user
from tests.live.web_process import WebProcess
from tests.servers.http import HttpServer, answer


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_user("operator", username="alice")


@pytest.fixture
def desk(page: Page, web: WebProcess, alice: User) -> Page:
    """Alice's browser."""
    enter(page, web, alice)
    return page


def test_an_empty_portal_becomes_a_real_result_with_one_field_and_one_button(
    desk: Page, outside: Callable[..., Any]
) -> None:
    desk.goto("/")
    desk.get_by_label("Address").fill("http://127.0.0.1:9/health")
    desk.get_by_role("button", name="Look now").click()
    result = desk.locator("#run-result")
    expect(result).to_contain_text("Looking now")

    check, run = Check.objects.get(), CheckRun.objects.get()
    outside(record, finished(check, OK, check.regions.get().generation, run=str(run.pk)))
    expect(result).to_contain_text("Everything was as expected.")


def test_a_check_is_tried_corrected_and_added_with_the_condition_editor(desk: Page, alice: User) -> None:
    target = make_service("Shop").target
    with HttpServer() as server:
        server.behave("/", answer(200, {"state": "up"}))
        desk.goto(f"/checks/new/?target={target.pk}&kind=http")
        desk.get_by_label("Address").fill("nonsense")
        desk.get_by_role("button", name="Try it").click()
        expect(desk.locator("#tried")).to_contain_text("It cannot be tried like this")
        assert desk.get_by_label("Address").input_value() == "nonsense"

        desk.get_by_label("Address").fill(server.url("/"))
        desk.get_by_role("button", name="Add condition").click()
        desk.get_by_label("Field 1").select_option("json")
        desk.get_by_label("Name 1").fill("state")
        desk.get_by_label("Value 1").fill("down")
        desk.get_by_role("button", name="Try it").click()
        expect(desk.locator("#tried")).to_contain_text("json.state == down")
        expect(desk.locator("#tried tr.is-failed")).to_contain_text("up")

        desk.get_by_label("Value 1").fill("up")
        desk.get_by_role("button", name="Try it").click()
        expect(desk.locator("#tried")).to_contain_text("Everything was as expected.")
        desk.get_by_role("button", name="Add the check").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("HTTP")
    assert Check.objects.get().config["conditions"] == [{"field": "json.state", "operator": "==", "value": "up"}]


def test_run_now_shows_the_answer_in_place(desk: Page, outside: Callable[..., Any]) -> None:
    check = make_check("Shop")
    desk.goto(check.target.get_absolute_url())
    desk.get_by_role("button", name="Run now").click()
    expect(desk.locator("#run-result")).to_contain_text("Looking now")
    run = CheckRun.objects.get()
    outside(record, finished(check, FAILED, check.regions.get().generation, run=str(run.pk)))
    expect(desk.locator("#run-result")).to_contain_text("Expected status 200, got 503.")


def test_an_incident_is_acknowledged_where_it_is_seen_even_under_the_pointer(
    desk: Page, outside: Callable[..., Any]
) -> None:
    outside(look, make_check("Shop"), FAILED, FAILED)
    desk.goto("/")
    wrong = desk.get_by_role("region", name="Wrong now")
    wrong.get_by_role("button", name="Acknowledge").click()
    expect(wrong).to_contain_text("alice")
    assert desk.url.endswith("/")
    assert Incident.objects.get().acknowledged_by is not None


def test_a_few_letters_lead_to_a_target(desk: Page) -> None:
    target = make_service("Payments gateway").target
    desk.goto("/services/")
    desk.keyboard.press("/")
    desk.keyboard.type("pay")
    desk.locator("#suggestions").get_by_role("link", name=re.compile("Payments gateway")).click()
    expect(desk).to_have_url(re.compile(str(target.pk)))


def test_what_cannot_be_undone_asks_for_the_name(desk: Page) -> None:
    target = make_service("Shop").target
    desk.goto(target.get_absolute_url())
    desk.get_by_role("button", name="Delete").click()
    confirm = desk.get_by_role("dialog").get_by_role("button", name="Delete")
    expect(confirm).to_be_disabled()
    desk.get_by_label("Type Shop to confirm").fill("Shop")
    confirm.click()
    expect(desk).to_have_url(re.compile(r"/services/$"))
    expect(desk.locator(".toasts")).to_contain_text("Shop was deleted.")


def test_an_overview_without_targets_gives_way_when_the_first_one_is_there(
    desk: Page, outside: Callable[..., Any]
) -> None:
    desk.goto("/")
    expect(desk.locator("[data-connection=live]")).to_be_visible()
    outside(make_service, "Shop")
    expect(desk.locator(".verdict-sentence")).to_have_text("1 unknown of 1 target")


PHONE = {"width": 360, "height": 740}
LONG = "Payments gateway with a very long descriptive name that nobody can read on a telephone eu-central-1"


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_no_page_is_wider_than_a_phone(
    open_browser: Callable[..., Page], web: WebProcess, alice: User, outside: Callable[..., Any], language: str
) -> None:
    check = make_check(LONG)
    outside(look, check, OK, FAILED, FAILED)
    provider = make_provider("OpenAI", base_url="https://api.example.com/v1")
    make_model(provider, LONG)
    incident = Incident.objects.get()
    page = open_browser(viewport=PHONE, locale=language)
    enter(page, web, alice)
    addresses = [
        "/",
        "/targets/",
        "/models/",
        "/services/",
        "/incidents/",
        "/search/?q=pay",
        check.target.get_absolute_url(),
        provider.target.get_absolute_url(),
        check.get_absolute_url(),
        f"{check.get_absolute_url()}edit/",
        incident.get_absolute_url(),
        f"{incident.get_absolute_url()}?resolve=anyway",
        "/services/new/",
        f"/providers/{provider.pk}/discover/",
        "/settings/",
        "/settings/tokens/",
        "/settings/places/",
        "/settings/regions/",
        "/settings/regions/new/",
        "/settings/regions/local/",
        "/settings/regions/local/guards/new/",
        "/settings/health/",
    ]
    for address in addresses:
        page.goto(address)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} px too wide"
