"""People with different grants, and a real web process that all tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.live.sending import sender
from tests.live.clients import Page
from tests.live.people import cookie_of, make_user
from tests.live.web_process import WebProcess, web_process


@pytest.fixture(scope="session")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebProcess]:
    with django_db_blocker.unblock():
        name = str(connection.settings_dict["NAME"])
    with web_process(name) as process:
        yield process


@pytest.fixture(autouse=True)
def nothing_waits_to_be_sent() -> Iterator[None]:
    """News of one test must not be heard by the next."""
    yield
    assert sender.flush(seconds=5)


@pytest.fixture
def development(transactional_db: None) -> Environment:
    return Environment.objects.get(slug="dev")


@pytest.fixture
def production(transactional_db: None) -> Environment:
    return Environment.objects.get(slug="prod")


@pytest.fixture
def alice(transactional_db: None) -> User:
    """Sees everything."""
    return make_user("alice", viewer=None)


@pytest.fixture
def bob(development: Environment) -> User:
    """Sees development only."""
    return make_user("bob", viewer=development)


@pytest.fixture
def charlie(transactional_db: None) -> User:
    """Sees nothing."""
    return make_user("charlie")


@pytest.fixture
def open_page(web: WebProcess) -> Iterator[Any]:
    """`open_page(client)`: a socket with the client's cookies, as one of our pages opens it."""
    pages: list[Page] = []

    def open_one(client: Client | None, **options: Any) -> Page:
        cookie = cookie_of(client) if client else ""
        page = Page(web, cookie=cookie, **options)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        page.close()
