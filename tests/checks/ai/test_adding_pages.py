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
from apps.catalog.budgets import set_cap
from apps.catalog.models import Price, Provider, Region, Target
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
    price_of("chat-*", "20")
    return provider


def price_of(model: str, amount: str) -> None:
    Price.objects.create(
        dialect="openai",
        model=model,
        input_per_million=Decimal(amount),
        output_per_million=Decimal(amount),
        valid_from="2025-01-01",
    )


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


def test_what_has_no_known_price_is_named_and_leads_to_a_form_that_is_filled_in(
    page: Client, provider: Provider
) -> None:
    content = send(page, provider, "price", add=["chat-large", "acme-embedding"], rung_2="on").content.decode()
    assert "No price is known for 1 model" in text_of(content.encode())
    assert "acme-embedding: add its price" in text_of(content.encode())
    assert f"/settings/prices/new/?provider={provider.pk}&amp;model=acme-embedding" in content


def test_amounts_of_the_bill_have_the_same_places_and_nothing_is_told_from_little(
    page: Client, provider: Provider
) -> None:
    price_of("chat-small", "0")
    price_of("acme-embedding", "0.0001")
    names = ["chat-large", "chat-small", "acme-embedding"]
    values = {"rung_2": "on", "interval_2": "86400"}
    content = send(page, provider, "price", add=names, **values).content.decode()
    cells = re.findall(r'<td class="num[^>]*>(?:<[^>]+>)*([^<&]*(?:&lt;)?[^<]*)<', content)
    amounts = [cell for cell in cells if "$" in cell]
    assert amounts
    assert all(re.fullmatch(r"(&lt;)?\$\d+\.\d\d", amount) for amount in amounts), amounts
    assert "&lt;$0.01" in amounts
    assert cells.count("free") == 2, "the rung of chat-small, and chat-small together"


def test_a_model_of_ones_own_machine_costs_nothing_on_any_rung(page: Client) -> None:
    own = make_provider("Own", dialect="ollama", base_url="http://127.0.0.1:11434")
    content = text_of(send(page, own, "price", more="llama3", rung_1="on", rung_2="on", rung_3="on").content)
    assert "no price known" not in content
    assert "Together free free free $0.00" in content


def test_a_cap_of_nothing_says_that_what_is_paid_for_waits(page: Client, provider: Provider) -> None:
    set_cap(actor=None, provider=provider, monthly_cap=Decimal(0))
    paid = text_of(send(page, provider, "price", add=["chat-large"], rung_2="on").content)
    assert "Paid looks are off: the cap of this provider is 0." in paid
    assert "Paid looks are off" not in text_of(send(page, provider, "price", add=["chat-large"], rung_1="on").content)
    set_cap(actor=None, provider=provider, monthly_cap=None)
    set_cap(actor=None, provider=None, monthly_cap=Decimal(0))
    paid = text_of(send(page, provider, "price", add=["chat-large"], rung_2="on").content)
    assert "Paid looks are off: the cap of all providers together is 0." in paid


def test_a_bill_above_the_cap_of_all_is_said_too(page: Client, provider: Provider) -> None:
    set_cap(actor=None, provider=provider, monthly_cap=None)
    set_cap(actor=None, provider=None, monthly_cap=Decimal("0.01"))
    content = send(page, provider, "price", add=["chat-large"], rung_3="on", interval_3="30").content
    assert "more than the cap of $0.01 for all providers together" in text_of(content)


def test_the_price_follows_the_number_of_regions(page: Client, provider: Provider) -> None:
    values = {"add": ["chat-large"], "rung_3": "on", "interval_3": "300"}
    one = send(page, provider, "price", **values).content.decode()
    Region.objects.create(slug="second", name="Second")
    two = send(page, provider, "price", **values).content.decode()
    assert total(two) == pytest.approx(2 * total(one), rel=0.01)


def test_a_price_that_was_asked_for_again_still_leads_to_the_cap(page: Client, provider: Provider) -> None:
    set_cap(actor=None, provider=provider, monthly_cap=None)
    content = send(page, provider, "price", add=["chat-large"], rung_2="on").content.decode()
    assert f'<a href="/targets/{provider.pk}/edit/">Set a cap</a>' in content


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
    assert "5 new checks: their first looks come in a few seconds." in said
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
