"""The page on which models of a provider are chosen: its price, its sentences, and what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Price, Provider, Target
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
    with ModelServer(key=KEY, models=("chat-large", "chat-small", "text-embedding-small", "whisper-1")) as running:
        yield running


@pytest.fixture
def provider(server: ModelServer) -> Provider:
    provider = make_provider("Acme", base_url=server.base_url(), api_key=KEY, monthly_cap=Decimal(5))
    provider.offered_models = list(server.models)
    provider.save(update_fields=["offered_models"])
    Price.objects.create(
        dialect="openai_compatible",
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
