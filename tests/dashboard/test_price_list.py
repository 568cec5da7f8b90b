"""Settings → Prices: narrowed by provider and name, the models nobody knows a price of, and the form filled in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Price, Provider
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def acme() -> Provider:
    provider = make_provider("Acme", dialect="openai", base_url="http://localhost:9000/v1")
    for name in ("gpt-4o", "house-model", "whisper-house"):
        make_model(provider, name)
    return provider


def table(page: Client, address: str, name: str) -> str:
    content = page.get(address).content.decode()
    return content.partition(f'<table class="table table-stack" id="{name}"')[2].partition("</table>")[0]


def test_models_without_a_price_lead_to_a_form_that_is_filled_in(page: Client, acme: Provider) -> None:
    found = table(page, "/settings/prices/", "unpriced")
    assert "house-model" in found
    assert "gpt-4o" not in found
    assert "whisper-house" not in found, "no question of ours costs anything there"
    address = re.search(r'href="(/settings/prices/new/\?[^"]+)"', found)
    assert address is not None
    form = page.get(address[1].replace("&amp;", "&")).content.decode()
    assert f'<option value="{acme.pk}" selected>' in form
    assert 'value="house-model"' in form


def test_a_provider_narrows_to_prices_that_count_for_it(page: Client, acme: Provider) -> None:
    other = make_provider("Other", dialect="anthropic", base_url="http://localhost:9001")
    make_model(other, "other-model")
    Price.objects.create(
        provider=acme, model="own-price", input_per_million=1, output_per_million=1, valid_from="2025-01-01"
    )
    of_acme = f"/settings/prices/?provider={acme.pk}"
    assert "own-price" in table(page, of_acme, "prices")
    assert "gpt-4o" in table(page, of_acme, "prices")
    assert "claude" not in table(page, of_acme, "prices")
    assert "other-model" not in table(page, of_acme, "unpriced")
    assert "own-price" not in table(page, f"/settings/prices/?provider={other.pk}", "prices")


def test_a_part_of_a_name_narrows_both_tables(page: Client, acme: Provider) -> None:
    assert "gpt-4o" not in table(page, "/settings/prices/?model=HOUSE", "prices")
    assert "house-model" in table(page, "/settings/prices/?model=HOUSE", "unpriced")
    assert "No price matches the filter." in text_of(page.get("/settings/prices/?model=HOUSE").content)
    assert table(page, "/settings/prices/?model=gpt", "unpriced") == ""


@pytest.mark.parametrize("query", ["provider=nothing", "provider=\x00", "model=\x00", "provider=&model="])
def test_a_filter_that_is_none_narrows_nothing(page: Client, acme: Provider, query: str) -> None:
    assert "claude" in table(page, f"/settings/prices/?{query}", "prices")


def add(page: Client, **values: str) -> Any:
    body = {"dialect": "openai", "model": "m", "input_per_million": "1", "output_per_million": "1"}
    return page.post("/settings/prices/new/", {**body, "valid_from": "2026-01-01", **values}, follow=True)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"input_per_million": "-0.5"}, "A price cannot be negative. Enter 0 for what costs nothing."),
        ({"output_per_million": "100001"}, "No model costs more than $100,000 a million tokens"),
        ({"output_per_million": "99999999999999"}, "No model costs more than $100,000 a million tokens"),
        ({"input_per_million": "0.00005"}, "no more than 4 decimal places"),
        ({"model": "gpt-4o", "valid_from": "2025-12-01"}, "There is a price of this model from this day on already."),
    ],
)
def test_a_price_that_cannot_be_is_told_what_is_wrong(page: Client, values: dict[str, str], sentence: str) -> None:
    answer = add(page, **values)
    assert answer.status_code == 400
    assert sentence in text_of(answer.content)


def test_a_price_of_nothing_is_taken_and_what_follows_is_said(page: Client) -> None:
    answer = add(page, input_per_million="0", output_per_million="0")
    assert "looks at m count as free, and no cap stops them" in text_of(answer.content)
    assert "count as free" not in text_of(add(page, model="another").content)
