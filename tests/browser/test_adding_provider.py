"""A provider from its key to its checks, in a real browser: one form, its list, the ladder with its price, saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from apps.catalog.models import Price, Provider, Target
from apps.checks.models import Check
from tests.browser.people import enter
from tests.factories import make_user
from tests.live.web_process import WebProcess
from tests.servers.model_server import ModelServer

KEY = "sk-kept-to-ourselves"
OFFERED = ("chat-large", "chat-small", "acme-embedding-small", *(f"archive-{number:02}" for number in range(30)))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY, models=OFFERED) as running:
        yield running


@pytest.fixture
def desk(page: Page, web: WebProcess, transactional_db: None) -> Page:
    enter(page, web, make_user("operator", username="alice"))
    return page


def price(model: str, amount: str) -> None:
    Price.objects.create(
        dialect="openai",
        model=model,
        input_per_million=Decimal(amount),
        output_per_million=Decimal(amount),
        valid_from="2025-01-01",
    )


def fill_in(desk: Page, server: ModelServer, key: str) -> None:
    desk.goto("/providers/new/")
    desk.get_by_label("Name").fill("Acme")
    desk.get_by_label("Dialect").select_option("openai")
    desk.get_by_label("Base URL").fill(server.base_url().removesuffix("/v1"))
    desk.get_by_label("API key").fill(key)
    desk.get_by_label("Monthly cap").fill("2")
    desk.get_by_role("button", name="Add and discover models").click()


def test_a_provider_is_added_its_models_are_ticked_and_the_price_stands_there_before_saving(
    desk: Page, server: ModelServer
) -> None:
    price("chat-*", "1")
    fill_in(desk, server, KEY)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Models of Acme")
    total = desk.locator("#ladder-total")
    bill = desk.locator("#ladder-price")
    expect(bill).to_contain_text("Tick models")

    desk.get_by_label("chat-large").check()
    expect(total).to_have_text(re.compile(r"^\$\d"))
    two_rungs = total.inner_text()
    desk.get_by_role("checkbox", name="Stream").check()
    expect(total).not_to_have_text(two_rungs)
    desk.get_by_label("How often: Stream").select_option(label="every 30 seconds")
    expect(bill).to_contain_text("more than the cap of $2")
    desk.get_by_label("How often: Stream").select_option(label="every day")
    expect(bill).not_to_contain_text("more than the cap")

    desk.get_by_label("acme-embedding-small").check()
    expect(bill.get_by_role("listitem")).to_have_text("acme-embedding-small: add its price (in a new tab)")
    desk.get_by_role("button", name="Watch the chosen models").click()
    expect(desk.locator(".toasts")).to_contain_text("2 models were added.")

    kinds = sorted(Check.objects.values_list("target__name", "kind"))
    assert ("chat-large", "ai_ping") in kinds
    assert ("chat-large", "ai_stream") in kinds
    assert ("acme-embedding-small", "ai_embedding") in kinds
    assert ("Acme", "ai_models") in kinds
    desk.goto("/")
    expect(desk.locator("main")).to_contain_text("chat-large")


def test_a_long_list_is_searched_and_only_what_is_shown_is_taken(desk: Page, server: ModelServer) -> None:
    fill_in(desk, server, KEY)
    desk.get_by_label("Search in the list").fill("archive 1")
    expect(desk.get_by_label("chat-large")).to_be_hidden()
    desk.get_by_label("Select all that are shown").check()
    expect(desk.locator("#ladder-price tbody:first-of-type tr")).to_have_count(12)
    desk.get_by_label("Search in the list").fill("nothing like it")
    expect(desk.get_by_text("No model of this list")).to_be_visible()


def test_a_refused_key_is_one_sentence_and_the_way_on(desk: Page, server: ModelServer) -> None:
    fill_in(desk, server, "sk-wrong")
    notice = desk.locator("main .notice")
    expect(notice).to_have_count(1)
    expect(notice).to_contain_text("does not accept the API key")
    expect(desk.locator("main")).not_to_contain_text("was not asked yet")
    notice.get_by_role("link", name="Edit the provider").click()
    desk.get_by_label("API key").fill(KEY)
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("link", name="Discover models").click()
    desk.get_by_role("button", name="Discover").click()
    expect(desk.get_by_label("chat-small")).to_be_visible()
    assert Provider.objects.get().offered_models == sorted(OFFERED)


def test_the_base_url_follows_the_dialect_until_somebody_types_one(desk: Page) -> None:
    desk.goto("/providers/new/")
    address = desk.get_by_label("Base URL")
    desk.get_by_label("Dialect").select_option("anthropic")
    expect(address).to_have_value(re.compile("anthropic"))
    desk.get_by_label("Dialect").select_option("openai")
    expect(address).to_have_value(re.compile("openai"))
    address.fill("https://gateway.example.com/v1")
    desk.get_by_label("Dialect").select_option("gemini")
    expect(desk.get_by_text("Empty: https://generativelanguage")).to_be_visible()
    expect(address).to_have_value("https://gateway.example.com/v1")


def test_a_known_vendor_has_its_status_page_suggested_until_another_server_is_asked(desk: Page) -> None:
    desk.goto("/providers/new/")
    status_page, address = desk.get_by_label("Vendor's status page"), desk.get_by_label("Base URL")
    desk.get_by_label("Dialect").select_option("anthropic")
    expect(status_page).to_have_value("https://status.claude.com")
    desk.get_by_label("Dialect").select_option("openai")
    expect(status_page).to_have_value("https://status.openai.com")
    address.fill("https://gateway.example.com/v1")
    status_page.focus()
    expect(status_page).to_have_value("")
    status_page.fill("https://status.example.com")
    desk.get_by_label("Dialect").select_option("anthropic")
    expect(status_page).to_have_value("https://status.example.com")


def test_the_key_is_called_optional_only_where_it_is(desk: Page) -> None:
    desk.goto("/providers/new/")
    key = desk.locator("label[for=id_api_key]")
    expect(key).to_contain_text("optional")
    desk.get_by_label("Dialect").select_option("azure")
    expect(key.locator(".optional")).to_be_hidden()
    expect(desk.get_by_text("It answers nobody without one.")).to_be_visible()
    expect(desk.get_by_label("Base URL")).to_have_attribute("placeholder", re.compile("openai.azure.com"))
    desk.get_by_label("Dialect").select_option("ollama")
    expect(key.locator(".optional")).to_be_visible()


def test_a_price_that_is_added_in_another_tab_is_in_the_bill_when_one_comes_back(
    desk: Page, server: ModelServer
) -> None:
    fill_in(desk, server, KEY)
    desk.get_by_label("chat-large").check()
    with desk.context.expect_page() as opened:
        desk.get_by_role("link", name="add its price").click()
    form = opened.value
    expect(form.get_by_label("Model", exact=True)).to_have_value("chat-large")
    form.get_by_label("Input", exact=True).fill("3")
    form.get_by_label("Output").fill("15")
    form.get_by_role("button", name="Add price").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("Prices of chat-large")
    form.close()
    desk.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(desk.locator("#ladder-total")).to_have_text(re.compile(r"^\$\d"))
    expect(desk.get_by_label("chat-large")).to_be_checked()


def test_a_long_list_scrolls_in_its_own_place_and_makes_the_page_no_longer(desk: Page) -> None:
    with ModelServer(models=tuple(f"archive-{number:03}" for number in range(300))) as many:
        fill_in(desk, many, "")
        expect(desk.locator("[data-pick-row]")).to_have_count(300)
        assert desk.evaluate("document.documentElement.scrollHeight") < 2_500


def test_without_scripts_the_price_has_a_button_and_the_ticks_stay(
    open_browser: Callable[..., Page], web: WebProcess, transactional_db: None, server: ModelServer
) -> None:
    price("chat-*", "1")
    desk = open_browser(java_script_enabled=False)
    enter(desk, web, make_user("operator", username="bob"))
    fill_in(desk, server, KEY)
    desk.get_by_label("chat-small").check()
    desk.get_by_role("button", name="Work out the price").click()
    expect(desk.get_by_label("chat-small")).to_be_checked()
    expect(desk.locator("#ladder-total")).to_contain_text("$")
    desk.get_by_role("button", name="Watch the chosen models").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Acme")
    assert Target.objects.filter(kind="model", name="chat-small").exists()


def test_the_keyboard_alone_ticks_climbs_and_saves(desk: Page, server: ModelServer) -> None:
    fill_in(desk, server, KEY)
    desk.get_by_label("chat-large").focus()
    desk.keyboard.press("Space")
    expect(desk.locator("#ladder-price tbody:first-of-type tr")).to_have_count(1)
    desk.get_by_role("checkbox", name="Stream").focus()
    desk.keyboard.press("Space")
    expect(desk.get_by_role("checkbox", name="Stream")).to_be_checked()
    desk.get_by_role("button", name="Watch the chosen models").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator(".toasts")).to_contain_text("1 model was added.")


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_neither_page_is_wider_than_a_phone(
    open_browser: Callable[..., Page], web: WebProcess, transactional_db: None, server: ModelServer, language: str
) -> None:
    phone = open_browser(viewport={"width": 360, "height": 740}, locale=language)
    enter(phone, web, make_user("operator", username="carol"))
    phone.goto("/providers/new/")
    assert overhang(phone) <= 0
    phone.locator("[name=name]").fill("Acme")
    phone.locator("[name=base_url]").fill(server.base_url())
    phone.locator("[name=api_key]").fill(KEY)
    phone.locator("button[value=discover]").click()
    phone.locator("input[name=add]").first.check()
    expect(phone.locator("#ladder-price tbody:first-of-type tr")).to_have_count(1)
    assert overhang(phone) <= 0
    ends = phone.eval_on_selector_all(
        "#ladder-price td", "cells => cells.map(cell => cell.getBoundingClientRect().right)"
    )
    assert len(set(ends)) == 1, "amounts end below each other"


def overhang(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
