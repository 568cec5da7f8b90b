"""A provider that shows no list of its models: why, when and what to do stay on its pages, and nothing of its key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment, Provider, Target
from apps.catalog.refusals import keep_refusal
from apps.catalog.services import update_target
from apps.probes.reasons import Reason
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_provider
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.django_db
KEY = "sk-kept-to-ourselves"


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY, models=("chat-large",)) as running:
        yield running


@pytest.fixture
def provider(server: ModelServer) -> Provider:
    return make_provider("Acme", dialect="openai", base_url=server.base_url(), api_key=KEY)


def send(page: Client, provider: Provider, action: str, **values: Any) -> Any:
    return page.post(f"/providers/{provider.pk}/discover/", {"action": action, **values})


def test_a_provider_added_with_a_bad_key_says_why_until_it_is_mended(
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
    for address in (f"/providers/{provider.pk}/discover/", f"/targets/{provider.pk}/"):
        said = page.get(address)
        assert "does not accept the API key" in text_of(said.content)
        assert "Edit the provider and enter the key again" in text_of(said.content)
        assert "sk-wrong" not in said.content.decode()
    provider.refresh_from_db()
    assert "sk-wrong" not in json.dumps(provider.refusal)
    edited = {"name": "Acme", "dialect": "openai", "base_url": server.base_url(), "api_key": KEY}
    page.post(f"/targets/{provider.pk}/edit/", edited)
    assert "does not accept" not in text_of(page.get(f"/providers/{provider.pk}/discover/").content)


def test_a_list_that_comes_at_last_ends_what_was_said_before(
    page: Client, provider: Provider, server: ModelServer
) -> None:
    server.key = "another"
    send(page, provider, "ask")
    address = f"/providers/{provider.pk}/discover/"
    assert "Its list of models could not be had." in text_of(page.get(address).content)
    server.key = KEY
    send(page, provider, "ask")
    assert "could not be had" not in text_of(page.get(address).content)


def test_a_key_that_is_entered_while_its_provider_is_asked_is_not_called_wrong(
    provider: Provider,
) -> None:
    """Nor does an older picture of the row bring back what is over."""
    asked_with, before = Provider.objects.get(), Provider.objects.select_related("target").get()
    update_target(actor=None, target=Target.objects.get(pk=provider.pk), api_key="sk-another")
    keep_refusal(asked_with, Reason.INVALID_KEY, {})
    provider.refresh_from_db()
    assert provider.refused_at is None
    keep_refusal(provider, Reason.INVALID_KEY, {})
    update_target(actor=None, target=before.target, api_key=KEY)
    provider.refresh_from_db()
    assert provider.refused_at is None


def test_whoever_cannot_be_reached_is_said_to_be_so_with_what_to_do(page: Client, provider: Provider) -> None:
    provider.base_url = "http://127.0.0.1:1/v1"
    provider.save(update_fields=["base_url"])
    assert send(page, provider, "ask").status_code == 400
    said = text_of(page.get(f"/providers/{provider.pk}/discover/").content)
    assert "127.0.0.1 refused the connection on port 1" in said
    assert "Check its address and dialect" in said


def test_what_was_just_added_says_that_it_will_be_looked_at(page: Client, provider: Provider) -> None:
    send(page, provider, "save", more="chat-large", rung_1="on")
    model = Target.objects.get(name="chat-large")
    for target in (provider.pk, model.pk):
        assert "the first look comes in a few seconds" in text_of(page.get(f"/targets/{target}/").content)
