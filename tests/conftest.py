"""What every test may ask for. A test that asks for nothing here needs no server: the fixtures import what they use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone, translation

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from apps.accounts.models import User
    from apps.catalog.models import Environment

_DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_reset_sequences"}


@pytest.fixture(autouse=True)
def _nothing_is_remembered(request: pytest.FixtureRequest) -> None:
    """A cached answer of one story must not be read in the next, whose database is another."""
    marked = request.node.get_closest_marker("django_db") is not None
    if marked or _DATABASE_FIXTURES & set(request.fixturenames):
        from django.core.cache import cache  # noqa: PLC0415 - pure tests load no framework

        cache.clear()


@pytest.fixture(autouse=True)
def _nobody_left_a_language_behind() -> Iterator[None]:
    """A request of one story activates a language and a zone for its thread, which is that of the next one too."""
    yield
    timezone.deactivate()
    translation.deactivate()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for every browser test of the run: Playwright's loop can be started once in a process."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only browser tests load a browser

    from tests.browser.chromium import FLAGS, chromium_path  # noqa: PLC0415

    # Playwright's loop makes Django refuse the ORM in the main thread, where the tests use it on purpose.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def production(db: None) -> Environment:
    from tests.factories import make_environment  # noqa: PLC0415

    return make_environment("prod")


@pytest.fixture
def development(db: None) -> Environment:
    from tests.factories import make_environment  # noqa: PLC0415

    return make_environment("dev")


@pytest.fixture
def viewer(db: None) -> User:
    """Reads everywhere."""
    return _person("viewer")


@pytest.fixture
def operator(db: None) -> User:
    """Edits everywhere."""
    return _person("operator")


@pytest.fixture
def administrator(db: None) -> User:
    """Administers everywhere, and enters the admin."""
    return _person("admin", is_staff=True)


@pytest.fixture
def outsider(db: None) -> User:
    """Signed in, with no role at all."""
    return _person(None)


def _person(role: str | None, **fields: Any) -> User:
    from tests.factories import make_user  # noqa: PLC0415

    return make_user(role, **fields)
