"""Search: everything with a name, found by a few letters, within one's grants."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Environment
from tests.checks.looking import FAILED, add_check, look, make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def test_targets_checks_incidents_and_settings_are_found(page: Client) -> None:
    check = add_check(make_service("Tokenizer").target, name="Token count")
    look(check, FAILED, FAILED)
    shown = page.get("/search/?q=token").content.decode()
    words = text_of(shown.encode()).partition("Results for")[2]
    assert words.index("Targets") < words.index("Checks") < words.index("Incidents")
    assert f'href="{check.target.get_absolute_url()}"' in shown
    assert f'href="{check.get_absolute_url()}"' in shown
    assert "Expected status 200, got 503." in words
    assert 'href="/settings/tokens/"' in shown


def test_suggestions_are_few_and_lead_to_all_results(page: Client) -> None:
    for number in range(9):
        make_service(f"shop-{number}")
    shown = page.get("/search/suggestions/?q=shop").content.decode()
    assert shown.count("/targets/") == 5
    assert "<html" not in shown
    assert "/search/?q=shop" in shown


@pytest.mark.parametrize("query", ["", "   ", "\x00"])
def test_an_empty_search_finds_nothing_and_asks_nothing(page: Client, query: str) -> None:
    make_service("Shop")
    page.get("/search/suggestions/", {"q": query})
    with CaptureQueriesContext(connection) as queries:
        answer = page.get("/search/suggestions/", {"q": query})
    assert answer.content.strip() == b""
    assert not [query for query in queries.captured_queries if "catalog_target" in query["sql"]]


@pytest.mark.parametrize("query", ["100%", "under_score", "back\\slash", "quote'", HOSTILE, "한국어", "x" * 5_000])
def test_special_characters_are_looked_for_as_they_are(page: Client, query: str) -> None:
    make_service("plain")
    make_service(query[:150] or "-")
    shown = page.get("/search/", {"q": query[:100]})
    assert shown.status_code == 200
    assert "plain" not in text_of(shown.content).replace(query, "")
    assert "<script>alert(1)" not in shown.content.decode()
    assert shown.content.decode().count('class="line"') == 1


def test_nothing_outside_ones_grants_is_found(
    client: Client, production: Environment, development: Environment
) -> None:
    check = make_check("Secret shop")
    look(check, FAILED, FAILED)
    make_model(make_provider("Secret provider"), "secret-model")
    client.force_login(make_user("admin", development))
    assert "Nothing was found." in text_of(client.get("/search/?q=secret").content)
