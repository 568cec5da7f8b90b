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
from tests.factories import make_environment, make_user
from tests.live.clients import Page
from tests.live.people import cookie_of
from tests.live.valkey import BreakableValkey, breakable_valkey
from tests.live.web_process import WebProcess, web_process


@pytest.fixture(scope="session")
def database_name(django_db_setup: None, django_db_blocker: Any) -> str:
    with django_db_blocker.unblock():
        return str(connection.settings_dict["NAME"])


@pytest.fixture(scope="session")
def web(database_name: str) -> Iterator[WebProcess]:
    with web_process(database_name) as process:
        yield process


@pytest.fixture
def valkey() -> Iterator[BreakableValkey]:
    with breakable_valkey() as server:
        yield server


@pytest.fixture
def layer(valkey: BreakableValkey, settings: Any) -> BreakableValkey:
    """The channel layer of this process on a Valkey that may be broken."""
    config = settings.CHANNEL_LAYERS["default"]
    host = {**config["CONFIG"]["hosts"][0], "address": valkey.url_of(2)}
    settings.REDIS_LIVE_URL = valkey.url_of(2)
    settings.CHANNEL_LAYERS = {"default": {**config, "CONFIG": {**config["CONFIG"], "hosts": [host]}}}
    return valkey


@pytest.fixture(autouse=True)
def _nothing_waits_to_be_sent() -> Iterator[None]:
    """News of one test must not be heard by the next."""
    yield
    assert sender.flush(seconds=5)


@pytest.fixture
def development(transactional_db: None) -> Environment:
    return make_environment("dev")


@pytest.fixture
def production(transactional_db: None) -> Environment:
    return make_environment("prod")


@pytest.fixture
def alice(transactional_db: None) -> User:
    """Sees everything."""
    return make_user("viewer", username="alice")


@pytest.fixture
def bob(development: Environment) -> User:
    """Sees development only."""
    return make_user("viewer", development, username="bob")


@pytest.fixture
def charlie(transactional_db: None) -> User:
    """Sees nothing."""
    return make_user(username="charlie")


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
