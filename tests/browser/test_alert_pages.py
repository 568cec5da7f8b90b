"""Rules, silences, routes and alerts in a browser: looked at before saving, acknowledged, and kept up to date."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.access import Role
from apps.alerts.models import Alert, Route, Rule, Silence
from apps.alerts.routes.services import create_route
from apps.alerts.routing import route_all
from apps.checks.models import StateChange
from apps.core import clock
from tests.alerts.register.opening import channel_for_machines, channel_for_people, end_alert, open_alert
from tests.browser.people import enter
from tests.factories import make_service, make_user
from tests.live.web_process import WebProcess


def test_a_rule_is_back_tested_in_the_form_and_then_added(page: Page, web: WebProcess) -> None:
    target = make_service("Shop", tags=["shop"]).target
    begin = clock.now() - timedelta(hours=3)
    for at, before, after in (
        (begin, "unknown", "outage"),
        (begin + timedelta(hours=1), "outage", "operational"),
    ):
        StateChange.objects.create(target=target, at=at, from_status=before, to_status=after, reason="timeout")
    enter(page, web, make_user(Role.OPERATOR))
    page.goto("/alerts/")
    page.get_by_role("navigation", name="Alerts").get_by_role("link", name="Rules").click()
    page.get_by_role("link", name="Add a rule").first.click()
    page.get_by_role("navigation", name="Kind of rule").get_by_role("link", name="Status", exact=True).click()
    page.get_by_label("Name").fill("Outage of a shop")
    page.get_by_label("Severity").select_option("critical")
    page.get_by_role("button", name="Add a condition").click()
    expect(page.get_by_label("Label")).to_be_focused()
    page.get_by_label("Label").select_option("tag")
    page.get_by_label("Value").fill("shop")
    page.evaluate("window.notReloaded = true")

    page.get_by_role("button", name="Back-test").click()
    found = page.locator("#backtest")
    expect(found).to_contain_text("In the last 7 days this would have sent 1 message.")
    expect(found.get_by_role("row", name=re.compile("Shop"))).to_contain_text("Critical")
    assert page.evaluate("window.notReloaded")
    assert page.get_by_label("Name").input_value() == "Outage of a shop"

    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Outage of a shop")
    rule = Rule.objects.get(name="Outage of a shop")
    assert rule.matchers == [{"label": "tag", "operator": "=", "value": "shop"}]


def test_a_silence_shows_what_it_hushes_while_it_is_written(page: Page, web: WebProcess) -> None:
    open_alert(make_service("Shop", tags=["shop"]).target)
    make_service("Shop 2", tags=["shop"])
    make_service("Stock")
    enter(page, web, make_user(Role.OPERATOR))
    page.goto("/alerts/silences/new/")
    reach = page.locator("#silence-preview")
    expect(reach).to_contain_text("Add a condition, and what it hushes stands here.")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Label").select_option("tag")
    page.get_by_label("Value").fill("shop")
    expect(reach).to_contain_text("1 alert that fires now")
    expect(reach).to_contain_text("2 targets it can apply to")
    page.get_by_label("Comparison").select_option("=~")
    page.get_by_label("Value").fill("(")
    expect(reach).to_contain_text("This pattern cannot be read")
    page.get_by_label("Value").fill("sh.*")
    expect(reach).to_contain_text("2 targets it can apply to")

    expect(page.get_by_label("Until", exact=True)).to_be_hidden()
    page.get_by_label("until a moment of your choice").check()
    expect(page.get_by_label("Until", exact=True)).to_be_visible()
    page.get_by_label("30 minutes").check()
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.locator(".error")).to_contain_text("This field is required")
    expect(page.get_by_label("Value")).to_have_value("sh.*")
    page.get_by_label("Comment").fill("Release")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Release")
    assert Silence.objects.get().comment == "Release"


def test_an_alert_comes_is_acknowledged_by_key_and_goes_without_a_reload(
    page: Page, web: WebProcess, outside: Callable[..., Any]
) -> None:
    user = make_user(Role.OPERATOR, username="ada")
    channel_for_machines()
    target = make_service("Shop").target
    enter(page, web, user)
    page.goto("/alerts/")
    expect(page.get_by_text("Nothing fires.")).to_be_visible()
    expect(page.locator("[data-connection=live]")).to_be_visible()
    page.evaluate("window.notReloaded = true")

    outside(open_alert, target)
    row = page.get_by_role("row", name=re.compile("Shop"))
    expect(row).to_contain_text("above 2")
    outside(route_all)
    expect(row).to_contain_text("A message is on its way.")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(row).to_contain_text("ada")
    alert = Alert.objects.get()
    assert alert.acknowledged_by == user
    outside(end_alert, alert)
    expect(page.get_by_text("Nothing fires.")).to_be_visible()
    assert page.evaluate("window.notReloaded")

    page.get_by_role("link", name=re.compile("Last alert")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Shop")
    expect(page.locator("#panel-told")).to_contain_text("Pager")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_route_and_its_conditions_can_be_written(
    open_browser: Callable[..., Page], web: WebProcess, scripts: bool
) -> None:
    channel_for_people("Chat")
    page = open_browser(java_script_enabled=scripts)
    enter(page, web, make_user(Role.ADMIN))
    page.goto("/alerts/routes/new/")
    page.get_by_label("Name").fill("Shop")
    if scripts:
        page.get_by_role("button", name="Add a condition").click()
        page.get_by_role("button", name="Add a condition").click()
        page.get_by_role("button", name="Remove: Condition 1").click()
    condition = page.get_by_role("group", name="Condition").last
    condition.get_by_label("Label").select_option("tag")
    condition.get_by_label("Value").fill("shop")
    page.get_by_label("Chat").check()
    page.get_by_role("button", name="Add the route").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Routes")
    expect(page.locator(".route").last).to_contain_text("tag is shop")
    route = Route.objects.get()
    assert route.matchers == [{"label": "tag", "operator": "=", "value": "shop"}]


def test_the_pages_fit_a_small_phone(open_browser: Callable[..., Page], web: WebProcess) -> None:
    channel = channel_for_people("A chat with a name that is longer than a phone is wide, and then some")
    matchers = [{"label": "target", "operator": "=~", "value": "a-pattern-without-any-place-to-break-it.*" * 3}]
    route, _warnings = create_route(actor=None, name="Shop", matchers=matchers, channels=[channel])
    alert = open_alert(make_service("A service with a name that is longer than any phone is wide").target)
    page = open_browser(viewport={"width": 360, "height": 740})
    enter(page, web, make_user(Role.ADMIN))
    for address in (
        "/alerts/",
        alert.get_absolute_url(),
        "/alerts/rules/",
        "/alerts/rules/new/?kind=latency",
        f"/alerts/routes/?target={alert.target_id}&severity=critical",
        f"/alerts/routes/{route.pk}/edit/",
        "/alerts/silences/",
        f"/alerts/silences/new/?alert={alert.pk}",
    ):
        page.goto(address)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, address
