"""The first page anybody meets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from tests.factories import PASSWORD, make_user
from tests.live.web_process import WebProcess


@pytest.fixture
def alice(transactional_db: None) -> User:
    return make_user("viewer", username="alice")


def test_signing_in_leads_to_the_page_that_was_asked_for(page: Page, web: WebProcess, alice: User) -> None:
    page.goto("/")
    expect(page).to_have_url(f"{web.url}/login/?next=/")

    page.get_by_label("User name").fill(alice.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{web.url}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
