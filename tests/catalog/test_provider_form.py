"""The form of a provider: what it says for each dialect, and the components of a vendor's page that can be ticked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.dialect_hints import hints_of
from apps.catalog.models import Environment, Provider
from apps.catalog.provider_forms import ProviderForm
from apps.checks.models import VendorPage
from apps.probes.ai.dialect import AI_DIALECTS
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def chosen(dialect: str) -> ProviderForm:
    return ProviderForm(initial={"dialect": dialect})


@pytest.mark.parametrize("dialect", AI_DIALECTS.names())
def test_each_dialect_says_what_to_enter_and_shows_an_address_like_its_own(dialect: str) -> None:
    form = chosen(dialect)
    assert form.fields["base_url"].help_text
    assert form.fields["base_url"].widget.attrs["placeholder"].startswith("http")
    assert form.fields["api_key"].help_text


@pytest.mark.parametrize(
    ("dialect", "required", "words"),
    [
        ("azure", True, "?api-version=… may stand at its end"),
        ("openai_compatible", True, "A /v1 at the end is added"),
        ("ollama", False, "Empty: http://127.0.0.1:11434"),
        ("anthropic", False, "Empty: https://api.anthropic.com"),
    ],
)
def test_an_address_is_asked_for_where_a_dialect_has_none(dialect: str, required: bool, words: str) -> None:
    field = chosen(dialect).fields["base_url"]
    assert field.required is required
    assert words in str(field.help_text)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("openai", "answers nobody without one"),
        ("azure", "answers nobody without one"),
        ("ollama", "Empty if it asks for none"),
        ("openai_compatible", "Empty if it asks for none"),
    ],
)
def test_a_key_is_called_optional_only_where_it_is(page: Client, dialect: str, words: str) -> None:
    assert words in hints_of(dialect).key_help
    provider = make_provider("Acme", dialect=dialect, base_url="http://127.0.0.1:9000")
    content = page.get(f"/targets/{provider.pk}/edit/").content.decode()
    label = re.search(r'<label for="id_api_key">.*?</label>', content)
    assert label is not None
    assert ("optional" in label[0]) is not hints_of(dialect).needs_key


def test_vendors_whose_status_page_is_known_have_it_suggested(page: Client) -> None:
    content = page.get("/providers/new/").content.decode()
    for address in ("https://status.openai.com", "https://status.claude.com", "https://status.cloud.google.com"):
        assert f'data-status-page="{address}"' in content
    assert 'name="status_page_url" value="https' not in content, "the first dialect is nobody's in particular"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dialect": "azure"}, "Enter where its API begins: this dialect has no address of its own."),
        ({"base_url": "http://169.254.169.254/v1"}, "The portal must not contact 169.254.169.254"),
        ({"base_url": "api.example.com"}, "Enter a full address that begins with http:// or https://"),
        ({"base_url": "https://me:pw@example.com"}, "Leave the user and password out of the address"),
        ({"api_key": "sk-one\nsk-two"}, "The key holds a line break: paste it again as one line."),
        ({"api_key": "sk one"}, "The key holds a space"),
        ({"monthly_cap": "-1"}, "A cap cannot be negative."),
    ],
)
def test_a_mistake_is_a_sentence_that_holds_nothing_of_the_key(
    page: Client, production: Environment, values: dict[str, str], sentence: str
) -> None:
    body = {"environment": production.pk, "name": "Acme", "base_url": "http://127.0.0.1:9000", **values}
    if "dialect" in values:
        del body["base_url"]
    reply = page.post("/providers/new/", body)
    assert reply.status_code == 400
    assert sentence in text_of(reply.content)
    assert "sk-one" not in reply.content.decode()
    assert not Provider.objects.exists()


@pytest.fixture
def mapped() -> Provider:
    """A provider whose vendor's page was read, mapped to one component of it and to one it does not name."""
    provider = make_provider(
        "Acme",
        base_url="http://127.0.0.1:9000",
        status_page_url="http://127.0.0.1:9001",
        status_components=["chat", "Old name"],
    )
    page, _made = VendorPage.objects.get_or_create(provider=provider)
    page.components = [
        {"name": "Chat", "group": "", "status": "operational", "mapped": True},
        {"name": "Files", "group": "US", "status": "operational", "mapped": False},
        {"name": "Files", "group": "EU", "status": "operational", "mapped": False},
    ]
    page.save()
    return provider


def body_of(provider: Provider, **values: Any) -> dict[str, Any]:
    kept = {"name": "Acme", "dialect": "openai_compatible", "base_url": provider.base_url}
    return {**kept, "status_page_url": provider.status_page_url, **values}


def test_components_that_the_page_names_are_ticked_and_others_stay_typed(page: Client, mapped: Provider) -> None:
    address = f"/targets/{mapped.pk}/edit/"
    content = page.get(address).content.decode()
    assert re.search(r'value="Chat"[^>]* checked', content)
    assert not re.search(r'value="US / Files"[^>]* checked', content)
    assert re.search(r'<textarea name="status_components"[^>]*>\s*Old name</textarea>', content)
    reply = page.post(address, body_of(mapped, page_components=["Chat", "EU / Files"], status_components="Old name"))
    assert reply.status_code == 302
    mapped.refresh_from_db()
    assert mapped.status_components == ["Chat", "EU / Files", "Old name"]


def test_nothing_ticked_and_nothing_typed_is_the_page_as_a_whole(page: Client, mapped: Provider) -> None:
    page.post(f"/targets/{mapped.pk}/edit/", body_of(mapped))
    mapped.refresh_from_db()
    assert mapped.status_components == []


def test_a_page_that_was_never_read_offers_nothing_to_tick(page: Client) -> None:
    content = page.get("/providers/new/").content.decode()
    assert "page_components" not in content
    assert 'name="status_components"' in content
