"""A real Chromium in front of a real web process on the test database. Run by `tests/run.py` in a process of its own.

Playwright keeps an event loop running in the main thread until its process ends. So (1) the ORM needs
DJANGO_ALLOW_ASYNC_UNSAFE, set for these tests only, and (2) what needs a loop of its own (`async_to_sync`, a Celery
task called directly) is called through the `outside` fixture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection, connections
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.chromium import find_chromium
from tests.flows.rest import wait_for
from tests.live.web_process import WebProcess, web_process

_HERE = Path(__file__).parent
# A loaded machine draws slowly; a condition that never comes is still told within this time.
_PATIENCE_MILLISECONDS = 15_000

Result = TypeVar("Result")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test that commits; without a Chromium none of them can run."""
    own = [item for item in items if _HERE in item.path.parents]
    chromium = find_chromium()
    for item in own:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True))
        if chromium is None and not os.environ.get("PORTAL_REQUIRE_BROWSER"):
            item.add_marker(pytest.mark.skip(reason="no Chromium on PATH (on Debian: apt-get install chromium)"))


@pytest.fixture(scope="session")
def database_name(django_db_setup: None, django_db_blocker: Any) -> str:
    with django_db_blocker.unblock():
        return str(connection.settings_dict["NAME"])


@pytest.fixture(scope="session")
def web(database_name: str) -> Iterator[WebProcess]:
    with web_process(database_name) as process:
        yield process


@pytest.fixture(scope="session")
def browser(web: WebProcess, chromium: Browser) -> Browser:
    return chromium


_OTHERS_AT_WORK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@pytest.fixture(autouse=True)
def nobody_is_at_work_at_the_end(transactional_db: None) -> Iterator[None]:
    """The web process may still answer a page that was closed: emptying the tables under it would be a deadlock."""
    yield

    def at_work() -> int:
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS_AT_WORK)
            return int(cursor.fetchone()[0])

    wait_for(lambda: at_work() == 0, "the web process to finish what it was asked")


class Complaints:
    """What the browser complained about: script errors, refused content, answers of 500 and above."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"script error: {error}"))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("response", lambda answer: self._response(answer.status, answer.url))

    def _console(self, kind: str, text: str) -> None:
        if kind == "error" and "Content Security Policy" in text:
            self.lines.append(text)

    def _response(self, status: int, url: str) -> None:
        if status >= 500:
            self.lines.append(f"{status} {url}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test at its end when the browser complained; clear `lines` where that was meant."""
    heard = Complaints()
    yield heard
    assert heard.lines == []


@pytest.fixture
def open_browser(browser: Browser, web: WebProcess, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """`open_browser(viewport={...}, locale="ko-KR")`: a new browser profile with one empty page."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> Page:
        settings = {"base_url": web.url, "locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(**settings)
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_browser: Callable[..., Page]) -> Page:
    """A page of a desktop browser that nobody is signed in to."""
    return open_browser()


@pytest.fixture
def outside() -> Iterator[Callable[..., Any]]:
    """`outside(function, *arguments)`: call it in a thread without an event loop, and give back what it returns."""
    with ThreadPoolExecutor(max_workers=1) as executor:

        def call(function: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
            return executor.submit(partial(function, *arguments, **options)).result()

        yield call
        executor.submit(connections.close_all).result()
