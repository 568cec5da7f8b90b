"""Browsers of people who are signed in."""

from __future__ import annotations

from django.conf import settings
from playwright.sync_api import Page

from apps.accounts.models import User
from tests.live.people import sign_in
from tests.live.web_process import WebProcess


def enter(page: Page, web: WebProcess, user: User) -> None:
    """Give the page's browser a session of `user`, without the login form."""
    value = sign_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": web.url}])
