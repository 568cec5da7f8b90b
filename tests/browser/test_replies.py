"""Answering a message on a phone, without scripts and without signing in; and the page of deliveries at a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.access import Role
from apps.alerts.models import Notification, Silence
from tests.alerts.register.opening import channel_for_people
from tests.alerts.replies.world import acknowledge_link, alert_of, silence_link
from tests.alerts.test_replaying import dead
from tests.browser.people import enter
from tests.factories import make_user
from tests.live.web_process import WebProcess

PHONE = {"width": 360, "height": 740}


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("scripts", [False, True])
def test_an_alert_is_acknowledged_with_two_taps_on_a_phone(
    scripts: bool, open_browser: Callable[..., Page], outside: Callable[..., Any]
) -> None:
    alert = outside(alert_of, "Payments gateway for the northern region and its fallback")
    team = outside(channel_for_people, "Night shift")
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=scripts)
    page.goto(acknowledge_link(alert, team))
    button = page.get_by_role("button", name="Acknowledge")
    box = button.bounding_box()
    assert box is not None and box["y"] + box["height"] < PHONE["height"], "seen without scrolling"
    assert box["height"] >= 36
    if scripts:
        assert _fits(page)
    button.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acknowledged")
    expect(page.get_by_text("Acknowledged through Night shift")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acknowledged")
    alert.refresh_from_db()
    assert alert.acknowledged_through == "Night shift"


def test_a_silence_is_chosen_in_the_language_of_the_channel(
    open_browser: Callable[..., Page], outside: Callable[..., Any]
) -> None:
    alert = outside(alert_of, "결제 게이트웨이")
    team = outside(channel_for_people, "야간 근무", language="ko", time_zone="Asia/Seoul")
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True, locale="en-GB")
    page.goto(silence_link(alert, team))
    assert page.locator("html").get_attribute("lang") == "ko"
    assert _fits(page)
    page.locator("button[name=hours][value='4']").tap()
    expect(page.locator(".notice")).to_be_visible()
    assert Silence.objects.get().made_through == "야간 근무"


def test_everything_that_was_given_up_is_sent_again_after_a_question(
    page: Page, web: WebProcess, outside: Callable[..., Any]
) -> None:
    user = make_user(Role.OPERATOR, username="ada")
    team = outside(channel_for_people, "Team")
    for _ in range(3):
        outside(dead, team)
    enter(page, web, user)
    page.goto("/alerts/notifications/?state=dead")
    page.get_by_role("button", name="Send 3 again").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 messages that were given up")
    dialog.get_by_role("button", name="Send again").click()
    expect(page.locator("#toasts")).to_contain_text("3 messages are being sent again")
    assert set(Notification.objects.values_list("state", flat=True)) == {"pending"}
