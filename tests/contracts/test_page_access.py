"""Pages about one object: outside one's grants they do not exist, on any verb; inside them a viewer changes nothing.

The addresses are read from the URL map, so a new page is held to this without being listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import User
from apps.alerts import notification_views
from apps.alerts import views as channel_views
from apps.alerts.pages import alert_views, rule_views, silence_views
from apps.catalog.models import Environment, Region
from apps.checks import check_page
from apps.dashboard import incidents, region_pages, targets
from tests.contracts.objects import OBJECTS
from tests.factories import make_user

pytestmark = pytest.mark.django_db

# The name of the object's id in a URL, and which object it is.
ARGUMENTS = {
    "target_id": "target",
    "check_id": "check",
    "incident_id": "incident",
    "channel_id": "channel",
    "notification_id": "notification",
    "alert_id": "alert",
    "rule_id": "rule",
    "route_id": "route",
    "silence_id": "silence",
    "token_id": "token",
    "key_id": "ping-key",
    "region_slug": "region",
    "price_id": "price",
}
# Pages about one kind of target, or of check, only.
PARTICULAR = {
    "dashboard:model-chart": "model",
    "checks:discover": "provider",
    "dashboard:settings-budget": "provider",
    "checks:ping": "heartbeat",
    "checks:run-times": "heartbeat",
    "checks:rotate": "heartbeat",
}
# The fragments of a page about such an object: any of them will do.
FRAGMENTS = {
    "target_id": targets.PANELS[0].name,
    "check_id": check_page.PANELS[0].name,
    "incident_id": incidents.PANELS[0].name,
    "channel_id": channel_views.PANELS[0].name,
    "notification_id": notification_views.PANELS[0].name,
    "alert_id": alert_views.PANELS[0].name,
    "rule_id": rule_views.PANELS[0].name,
    "silence_id": silence_views.PANELS[0].name,
    "region_slug": region_pages.PANELS[0].name,
}
# Pages that are about no object: a part of a list, or (open to everybody) what a signed link in a message asks for.
PARTS_OF_LISTS = {"name", "panel"}
OPEN = {"replies:reply": "a-link-that-nobody-signed"}
# Tokens belong to one person, whatever the roles of others.
PERSONAL = {"token_id"}
# They belong to the whole installation: any grant shows them, and administrators of all environments change them.
EVERYWHERE = {"region_slug", "route_id"}


@dataclass(frozen=True)
class Page:
    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def about(self) -> str:
        return next(argument for argument in self.arguments if argument in ARGUMENTS)


def walk(resolver: Any, namespaces: tuple[str, ...] = ()) -> Iterator[Page]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver) and entry.namespace not in {"admin", "api", "monitoring"}:
            yield from walk(entry, (*namespaces, *([entry.namespace] if entry.namespace else [])))
        elif isinstance(entry, URLPattern) and entry.name and entry.pattern.converters:
            yield Page(":".join((*namespaces, entry.name)), tuple(entry.pattern.converters))


ALL = list(walk(get_resolver()))
PAGES = [page for page in ALL if set(page.arguments) & set(ARGUMENTS)]
SHARED_PAGES = [page for page in PAGES if page.about not in PERSONAL]
PLACED_PAGES = [page for page in PAGES if page.about not in EVERYWHERE]


def address_of(page: Page, environment: Environment) -> str:
    made = OBJECTS[PARTICULAR.get(page.name, ARGUMENTS[page.about])](environment)
    values: dict[str, Callable[[], Any]] = {
        page.about: lambda: made["pk"],
        "run_id": lambda: made["result_id"],
        "result_id": lambda: made["result_id"],
        "ping_id": lambda: made["ping_id"],
        "chart": lambda: "speed",
        "name": lambda: FRAGMENTS[page.about],
        "guard_id": lambda: OBJECTS["guard"](environment)["pk"],
    }
    if page.about == "region_slug":
        values["region_slug"] = lambda: Region.objects.get(pk=made["pk"]).slug
    return reverse(page.name, kwargs={argument: values[argument]() for argument in page.arguments})


def browser(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def statuses(user: User | None, address: str) -> set[int]:
    """What GET and POST answer. A verb the page does not offer says so to everybody."""
    client = browser(user)
    return {client.get(address).status_code, client.post(address).status_code} - {405}


def test_the_map_was_read() -> None:
    assert len(PAGES) > 15
    assert {page.about for page in PAGES} == set(ARGUMENTS)


def test_no_page_but_those_behind_a_signed_link_is_open_to_everybody() -> None:
    others = [page for page in ALL if page not in PAGES and not set(page.arguments) <= PARTS_OF_LISTS]
    assert {page.name for page in others} == set(OPEN)


@pytest.mark.parametrize(("name", "argument"), OPEN.items())
def test_an_open_page_shows_nothing_without_its_signature(name: str, argument: str, operator: User) -> None:
    for user in (None, operator):
        answer = browser(user).get(reverse(name, args=[argument]))
        assert answer.status_code == 404
        assert browser(user).post(reverse(name, args=[argument])).status_code == 404


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_for_an_outsider_the_page_does_not_exist(page: Page, production: Environment) -> None:
    assert statuses(make_user(None), address_of(page, production)) == {404}


@pytest.mark.parametrize("page", PLACED_PAGES, ids=str)
def test_nor_for_the_administrator_of_another_environment(
    page: Page, production: Environment, development: Environment
) -> None:
    assert statuses(make_user("admin", development), address_of(page, production)) == {404}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_somebody_who_is_not_signed_in_is_led_to_the_login(page: Page, production: Environment) -> None:
    address = address_of(page, production)
    assert statuses(None, address) == {302}
    answers = [browser(None).get(address), browser(None).post(address)]
    assert all(answer.headers["Location"].startswith("/login/") for answer in answers if answer.status_code == 302)


@pytest.mark.parametrize("page", SHARED_PAGES, ids=str)
def test_inside_the_grants_the_page_is_there(page: Page, production: Environment) -> None:
    place = None if page.about in EVERYWHERE else production
    found = statuses(make_user("admin", place), address_of(page, production))
    assert found
    assert not found & {401, 403, 404, 500}


@pytest.mark.parametrize("page", SHARED_PAGES, ids=str)
def test_a_viewer_changes_nothing(page: Page, production: Environment) -> None:
    answer = browser(make_user("viewer", production)).post(address_of(page, production))
    assert answer.status_code in {403, 405}
