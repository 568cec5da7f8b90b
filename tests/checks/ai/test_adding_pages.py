"""The page on which models of a provider are chosen: its price, its sentences, and what it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Environment, Price, Provider, Target
from apps.checks.models import Check
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.django_db
KEY = "sk-kept-to-ourselves"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY, models=("chat-large", "chat-small", "acme-embedding", "whisper-1")) as running:
        yield running


@pytest.fixture
def provider(server: ModelServer) -> Provider:
    provider = make_provider("Acme", dialect="openai", base_url=server.base_url(), api_key=KEY, monthly_cap=Decimal(5))
    provider.offered_models = list(server.models)
    provider.save(update_fields=["offered_models"])
    Price.objects.create(
        dialect="openai",
        model="chat-*",
        input_per_million=Decimal(1),
        output_per_million=Decimal(2),
        valid_from="2025-01-01",
    )
    return provider


def send(page: Client, provider: Provider, action: str, **values: Any) -> Any:
    headers = HTMX if action == "price" else {}
    return page.post(f"/providers/{provider.pk}/discover/", {"action": action, **values}, headers=headers)


def test_the_price_of_what_is_ticked_comes_back_as_a_part(page: Client, provider: Provider) -> None:
    reply = send(page, provider, "price", add=["chat-large", "chat-small"], rung_1="on", rung_2="on")
    content = reply.content.decode()
    assert reply.status_code == 200
    assert "<html" not in content
    assert 'id="ladder-total">$' in content
    assert 'id="rung-price-3" hx-swap-oob="true"' in content


def test_the_price_is_the_same_without_scripts_and_the_ticks_stay(page: Client, provider: Provider) -> None:
    part = send(page, provider, "price", add=["chat-large"], rung_2="on", interval_2="60").content.decode()
    whole = page.post(
        f"/providers/{provider.pk}/discover/",
        {"action": "price", "add": ["chat-large"], "rung_2": "on", "interval_2": "60"},
    )
    assert whole.status_code == 200
    content = whole.content.decode()
    assert total(content) == total(part)
    assert re.search(r'value="chat-large"[^>]* checked', content)
    assert '<option value="60" selected>' in content
    assert not Target.objects.filter(kind="model").exists()


def test_looking_more_often_and_higher_costs_more(page: Client, provider: Provider) -> None:
    daily = send(page, provider, "price", add=["chat-large"], rung_2="on", interval_2="86400")
    hourly = send(page, provider, "price", add=["chat-large"], rung_2="on", interval_2="3600")
    both = send(page, provider, "price", add=["chat-large"], rung_2="on", interval_2="3600", rung_3="on")
    two = send(page, provider, "price", add=["chat-large", "chat-small"], rung_2="on", interval_2="3600")
    free = send(page, provider, "price", add=["chat-large"], rung_1="on")
    amounts = [total(reply.content.decode()) for reply in (free, daily, hourly, both)]
    assert amounts[0] == 0
    assert amounts == sorted(set(amounts))
    assert total(two.content.decode()) == pytest.approx(2 * amounts[2], rel=0.1)


def test_what_has_no_known_price_is_named_and_leads_to_the_prices(page: Client, provider: Provider) -> None:
    content = send(page, provider, "price", add=["chat-large", "acme-embedding"], rung_2="on").content.decode()
    assert "No price is known for acme-embedding" in text_of(content.encode())
    assert "/settings/prices/" in content


def test_a_bill_above_the_cap_is_said_before_it_is_ordered(page: Client, provider: Provider) -> None:
    values = {"add": ["chat-large"], "rung_3": "on"}
    assert "more than the cap" in text_of(send(page, provider, "price", **values, interval_3="30").content)
    assert "more than the cap" not in text_of(send(page, provider, "price", **values, interval_3="86400").content)


def test_what_is_looked_at_already_counts_beside_the_cap(page: Client, provider: Provider) -> None:
    send(page, provider, "save", add=["chat-large"], rung_3="on", interval_3="30")
    content = text_of(send(page, provider, "price", add=["chat-small"], rung_1="on").content)
    assert "looked at already for at most $" in content
    assert "more than the cap" in content


def test_saving_makes_models_and_checks_and_says_how_many(page: Client, provider: Provider) -> None:
    reply = page.post(
        f"/providers/{provider.pk}/discover/",
        {"action": "save", "add": ["chat-large"], "more": "hidden-model\n", "rung_1": "on", "rung_2": "on"},
        follow=True,
    )
    said = text_of(reply.content)
    assert "2 models were added." in said
    assert "5 new checks look from now on." in said
    assert Check.objects.filter(target__name="hidden-model").count() == 2
    overview = text_of(page.get("/").content)
    assert "chat-large" in overview
    assert "hidden-model" in overview


def test_what_is_watched_is_shown_so_and_can_be_given_more(page: Client, provider: Provider) -> None:
    make_model(provider, "chat-large")
    row = r"chat-large.*?watched\s+no check yet"
    assert re.search(row, text_of(page.get(f"/providers/{provider.pk}/discover/").content), re.DOTALL)
    send(page, provider, "save", add=["chat-large"], rung_1="on")
    assert "AI model list" in text_of(page.get(f"/providers/{provider.pk}/discover/").content)
    again = page.post(
        f"/providers/{provider.pk}/discover/", {"action": "save", "add": ["chat-large"], "rung_1": "on"}, follow=True
    )
    assert "nothing was added" in text_of(again.content)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rung_1": "on"}, "Tick at least one model"),
        ({"add": ["chat-large"]}, "Choose at least one rung"),
        ({"add": ["not-offered"], "rung_1": "on"}, "does not offer not-offered"),
        ({"more": "bell\x07", "rung_1": "on"}, "control character"),
        ({"more": "x" * 201, "rung_1": "on"}, "200"),
        ({"add": ["chat-large"], "rung_2": "on", "interval_2": "7"}, "not one of the available choices"),
    ],
    ids=str,
)
def test_wrong_input_is_a_sentence_and_nothing_is_stored(
    page: Client, provider: Provider, values: dict[str, Any], sentence: str
) -> None:
    reply = send(page, provider, "save", **values)
    assert reply.status_code == 400
    assert sentence in text_of(reply.content)
    assert not Target.objects.filter(kind="model").exists()
    assert not Check.objects.exists()


def test_a_refused_key_is_one_sentence_and_keeps_the_list(
    page: Client, provider: Provider, server: ModelServer
) -> None:
    server.key = "another"
    reply = send(page, provider, "ask")
    assert reply.status_code == 400
    content = reply.content.decode()
    assert content.partition("<template")[0].count('class="notice tone-') == 1
    assert "does not accept the API key" in text_of(reply.content)
    assert "was not asked yet" not in text_of(reply.content)
    assert 'value="chat-large"' in content


def test_a_provider_added_with_a_bad_key_says_why_once(
    page: Client, server: ModelServer, production: Environment
) -> None:
    values = {
        "environment": production.pk,
        "name": "Acme",
        "dialect": "openai",
        "base_url": server.base_url(),
        "api_key": "sk-wrong",
        "action": "discover",
    }
    reply = page.post("/providers/new/", values, follow=True)
    provider = Provider.objects.get()
    assert reply.redirect_chain[-1][0] == f"/providers/{provider.pk}/discover/"
    assert "does not accept the API key" in text_of(reply.content)
    assert "was not asked yet" not in text_of(reply.content)
    assert "does not accept" not in text_of(page.get(f"/providers/{provider.pk}/discover/").content)


def test_a_long_list_costs_no_more_queries_than_a_short_one(page: Client, provider: Provider) -> None:
    counts = []
    for number in (3, 120):
        names = [f"chat-{index}" for index in range(number)]
        Provider.objects.update(offered_models=names)
        with CaptureQueriesContext(connection) as asked:
            assert send(page, provider, "price", add=names, rung_1="on", rung_2="on").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_only_operators_and_only_providers(client: Client, viewer: User, page: Client, provider: Provider) -> None:
    assert page.get(f"/providers/{make_service().pk}/discover/").status_code == 404
    client.force_login(viewer)
    for action in ("ask", "price", "save"):
        assert send(client, provider, action).status_code == 403


def total(content: str) -> float:
    """The sum of the bill, in dollars."""
    found = re.search(r'id="ladder-total">\$([\d.,]+)', content)
    assert found is not None
    return float(found.group(1).replace(",", ""))
