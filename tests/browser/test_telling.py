"""A channel is added, tested and followed in a browser, without a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from apps.accounts.access import Role
from apps.alerts.models import Channel
from tests.alerts.world import deliver, make_incident
from tests.factories import PASSWORD, make_user
from tests.servers.http import HttpServer, answer


def sign_in(page: Page, username: str) -> None:
    page.goto("/login/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/login" not in url)


def test_a_channel_is_added_tested_and_followed_without_a_reload(page: Page, outside: Callable[..., Any]) -> None:
    user = make_user(Role.ADMIN, username="ada")
    with HttpServer() as receiver:
        sign_in(page, user.username)
        page.goto("/alerts/channels/")
        page.get_by_role("link", name="Add your first channel").click()
        page.get_by_label("Name").fill("Pager")
        page.get_by_label("URL").fill(receiver.behave("/hook", answer(503)))
        page.get_by_role("button", name="Add channel").click()
        expect(page.get_by_text("it is not shown again")).to_be_visible()
        page.get_by_role("link", name="I have copied it").click()
        page.evaluate("window.notReloaded = true")
        expect(page.locator("[data-connection=live]")).to_be_visible()

        page.get_by_role("button", name="Send test").click()
        result = page.locator("#test-result")
        expect(result).to_contain_text("on its way")
        outside(deliver)
        expect(result).to_contain_text("The test was not delivered. The receiver had an error of its own (status 503)")
        receiver.behave("/hook", answer(200))
        page.get_by_role("button", name="Send test").click()
        expect(result).to_contain_text("on its way")
        outside(deliver)
        expect(result).to_contain_text("The test was delivered: status 200")
        expect(page.locator("#notifications tbody tr")).to_have_count(2)

        outside(make_incident)
        outside(deliver)
        expect(page.locator("#notifications tbody tr")).to_have_count(3)
        assert page.evaluate("window.notReloaded")

        page.get_by_role("link", name="Incident opened").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Incident opened")
        page.get_by_role("button", name="Send again").click()
        outside(deliver)
        expect(page.locator("#attempt-2")).to_contain_text("Delivered")
    assert Channel.objects.get().name == "Pager"
