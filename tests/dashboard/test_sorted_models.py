"""The list of models in the order of its figures, on the page and over REST."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import AIModel, Provider
from apps.checks.models import BudgetMonth
from apps.core import clock
from apps.dashboard import lists
from tests.checks.ai.looking_at_models import fill, make_ai_check
from tests.checks.looking import FAILED
from tests.dashboard.model_past import set_state, spend
from tests.dashboard.test_overview_page import text_of
from tests.factories import api_client, make_model, make_provider

pytestmark = pytest.mark.django_db

# First token (ms), tokens a second, US dollars, how many of four looks failed; None: nothing of it.
FIGURES: dict[str, tuple[float, float, str | None, int] | None] = {
    "alpha": (200.0, 90.0, "0.30", 2),
    "beta": (900.0, 60.0, "1.20", 0),
    "gamma": (400.0, 12.0, None, 1),
    "new": None,
}


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def provider(db: None) -> Provider:
    made = make_provider("Zeta")
    for name, figures in FIGURES.items():
        model = make_model(made, name)
        if figures is not None:
            _measure(model, *figures)
    month = clock.now().date().replace(day=1)
    BudgetMonth.objects.create(provider=made, month=month, spent="1.50", reserved="0")
    return made


def _measure(model: AIModel, first_token: float, speed: float, cost: str | None, failed: int) -> None:
    check = make_ai_check(model.target, "ai_stream")
    set_state(check, ttft_ms=first_token, output_tokens_per_second=speed)
    if cost is not None:
        spend(model, clock.now(), cost)
    now = clock.now()
    every = timedelta(minutes=1)
    fill(check, now - timedelta(minutes=4 - failed), now, every=every)
    if failed:
        fill(check, now - timedelta(minutes=20 + failed), now - timedelta(minutes=20), every=every, state=FAILED)


def names(client: Client, query: str) -> list[str]:
    answer = client.get(f"/models/?{query}").content.decode()
    found = re.findall(r'<tr id="row-[^"]+"[^>]*data-name="([^"]+)"', answer)
    # A model is named with its provider.
    return [name.partition(" · ")[0] for name in found]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("token", ["alpha", "gamma", "beta"]),
        ("-token", ["beta", "gamma", "alpha"]),
        ("speed", ["gamma", "beta", "alpha"]),
        ("-speed", ["alpha", "beta", "gamma"]),
        ("uptime", ["alpha", "gamma", "beta"]),
        ("-uptime", ["beta", "gamma", "alpha"]),
        ("-spend", ["Zeta", "beta", "alpha"]),
    ],
)
@pytest.mark.usefixtures("provider")
def test_every_figure_sorts_and_what_has_none_stands_last(page: Client, sort: str, expected: list[str]) -> None:
    found = names(page, f"sort={sort}")
    assert len(found) == 5
    assert found[: len(expected)] == expected


@pytest.mark.usefixtures("provider")
def test_heads_say_by_what_it_is_sorted(page: Client) -> None:
    shown = page.get("/models/?sort=-speed&status=unknown").content.decode()
    assert re.search(r'data-column="speed" aria-sort="descending"', shown)
    assert "sort=token" in shown


@pytest.mark.usefixtures("provider")
def test_pages_follow_each_other_in_the_order_of_a_figure(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    seen, address = [], "sort=token"
    while address:
        seen += names(page, address)
        answer = page.get(f"/models/?{address}").content.decode()
        cursors = re.findall(r'rel="next" href="\?([^"]*)"', answer)
        address = cursors[0].replace("&amp;", "&") if cursors else ""
    assert seen[:3] == ["alpha", "gamma", "beta"]
    assert sorted(seen) == ["Zeta", "alpha", "beta", "gamma", "new"]


@pytest.mark.usefixtures("provider")
def test_a_list_without_figures_keeps_its_own_order(page: Client) -> None:
    assert page.get("/targets/?sort=token").status_code == 200


@pytest.mark.usefixtures("provider")
def test_a_provider_shows_what_its_models_cost_together(page: Client) -> None:
    shown = text_of(page.get("/models/?kind=provider").content).replace("\u00a0", " ")
    assert "$1.50" in shown


# --- REST -----------------------------------------------------------------------------------------------------


def listed(user: User, **query: Any) -> list[str]:
    answer = api_client(user).get("/api/v1/models/", query)
    assert answer.status_code == 200, answer.json()
    return [one["name"] for one in answer.json()["results"]]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("ttft_ms", ["alpha", "gamma", "beta", "new"]),
        ("-ttft_ms", ["beta", "gamma", "alpha", "new"]),
        ("output_tokens_per_second", ["gamma", "beta", "alpha", "new"]),
        ("-uptime_24h", ["beta", "gamma", "alpha", "new"]),
        ("-name", ["new", "gamma", "beta", "alpha"]),
        (" -name", ["new", "gamma", "beta", "alpha"]),
    ],
)
@pytest.mark.usefixtures("provider")
def test_rest_orders_by_the_fields_it_answers(operator: User, ordering: str, expected: list[str]) -> None:
    assert listed(operator, ordering=ordering) == expected


@pytest.mark.usefixtures("provider")
def test_rest_takes_an_empty_order_for_none(operator: User) -> None:
    assert listed(operator, ordering=" ") == listed(operator)


@pytest.mark.usefixtures("provider")
def test_rest_pages_keep_the_order(operator: User) -> None:
    client = api_client(operator)
    answer = client.get("/api/v1/models/", {"ordering": "-spend_month", "limit": "1"}).json()
    seen = [answer["results"][0]["name"]]
    while answer["next"]:
        answer = client.get(answer["next"]).json()
        seen += [one["name"] for one in answer["results"]]
    assert seen[:2] == ["beta", "alpha"]
    assert sorted(seen) == sorted(FIGURES)


def test_rest_refuses_an_order_there_is_not_and_names_those_there_are(operator: User) -> None:
    answer = api_client(operator).get("/api/v1/models/", {"ordering": "price"})
    assert answer.status_code == 400
    assert "-ttft_ms" in answer.json()["ordering"][0]


def test_an_order_costs_as_many_queries_for_many_models(operator: User, provider: Provider) -> None:
    def cost(limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            listed(operator, ordering="uptime_24h", limit=limit)
        return len(queries)

    few = cost(101)
    for number in range(20):
        _measure(make_model(provider, f"more-{number}"), 100.0, 10.0, "0.01", 0)
    assert cost(102) == few
