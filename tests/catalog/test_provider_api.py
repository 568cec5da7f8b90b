"""Providers over REST: what each field may hold, where a key goes, and who is told of a change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Budget, Provider
from apps.catalog.services import update_target
from apps.catalog.signals import provider_changed
from apps.core.secrets import unseal
from tests.factories import api_client, make_provider

pytestmark = pytest.mark.django_db
URL = "/api/v1/providers/"


@pytest.fixture
def api(operator: User) -> APIClient:
    return api_client(operator)


@pytest.fixture
def told() -> Iterator[list[frozenset[str]]]:
    """What receivers of `provider_changed` were told, in order."""
    heard: list[frozenset[str]] = []

    def listen(fields: frozenset[str], **_: Any) -> None:
        heard.append(fields)

    provider_changed.connect(listen)
    yield heard
    provider_changed.disconnect(listen)


def test_a_provider_is_made_with_a_name_and_a_dialect_alone(api: APIClient) -> None:
    made = api.post(URL, {"name": "OpenAI", "dialect": "openai"})
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["dialect"], body["api_key_set"], body["monthly_cap"]) == ("openai", False, None)
    assert body["base_url"].startswith("https://api.openai.com")
    assert (body["verify_tls"], body["paid_at_once"], body["status_components"]) == (True, 4, [])


def test_everything_that_is_given_comes_back_but_the_key(api: APIClient) -> None:
    given = {
        "name": "Acme",
        "dialect": "openai_compatible",
        "base_url": "http://gpu.internal:8000",
        "api_key": "sk-1",
        "status_page_url": "https://status.example.com",
        "status_components": ["API"],
        "monthly_cap": "12.5",
        "verify_tls": False,
        "paid_at_once": 2,
    }
    made = api.post(URL, given)
    assert made.status_code == 201, made.json()
    read = api.get(f"{URL}{made.json()['id']}/").json()
    expected = {**given, "monthly_cap": 12.5, "api_key_set": True}
    del expected["api_key"]
    assert {name: read[name] for name in expected} == expected
    assert "sk-1" not in made.content.decode()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"dialect": "klingon"}, "dialect"),
    ({"base_url": "ftp://example.com"}, "base_url"),
    ({"base_url": "https://example.com/v1?key=1"}, "base_url"),
    ({"base_url": "https://me:pass@example.com/v1"}, "base_url"),
    ({"base_url": "https://me:pass@gateway/v1"}, "base_url"),
    ({"base_url": "https://[::1/v1"}, "base_url"),
    ({"base_url": "https://example.com:99999/v1"}, "base_url"),
    ({"base_url": "https://gateway:99999/v1"}, "base_url"),
    ({"status_page_url": "https://[status"}, "status_page_url"),
    ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
    ({"api_key": "sk-1\nsk-2"}, "api_key"),
    ({"api_key": "sk-1\n"}, "api_key"),
    ({"api_key": "sk 1"}, "api_key"),
    ({"api_key": "sk-ключ"}, "api_key"),
    ({"api_key": "x" * 2_001}, "api_key"),
    ({"status_page_url": "status.example.com"}, "status_page_url"),
    ({"status_page_url": "http://169.254.169.254/"}, "status_page_url"),
    ({"status_components": ["a\u0007"]}, "status_components"),
    ({"status_components": [f"part {number}" for number in range(51)]}, "status_components"),
    ({"monthly_cap": "-1"}, "monthly_cap"),
    ({"monthly_cap": "a lot"}, "monthly_cap"),
    ({"monthly_cap": "1e30"}, "monthly_cap"),
    ({"monthly_cap": "NaN"}, "monthly_cap"),
    ({"paid_at_once": 0}, "paid_at_once"),
    ({"verify_tls": "perhaps"}, "verify_tls"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=lambda value: str(value)[:40])
def test_wrong_input_is_said_at_its_field_and_nothing_is_stored(
    api: APIClient, change: dict[str, Any], field: str
) -> None:
    body = {"name": "Acme", "dialect": "openai_compatible", "base_url": "https://example.com/v1", **change}
    refused = api.post(URL, body)
    assert (refused.status_code, list(refused.json())) == (400, [field])
    assert "sk-1" not in refused.content.decode()
    assert not Provider.objects.exists()


@pytest.mark.parametrize(("key", "word"), [("sk-1\nsk-2", "line break"), ("sk 1", "space"), ("sk-ключ", "character")])
def test_each_fault_of_a_key_has_its_own_sentence(api: APIClient, key: str, word: str) -> None:
    refused = api.post(URL, {"name": "Acme", "api_key": key})
    assert word in refused.json()["api_key"][0]


def test_a_key_goes_to_no_other_server_whichever_field_leads_there(api: APIClient) -> None:
    provider = make_provider("Acme", dialect="openai", api_key="sk-1")
    url = f"{URL}{provider.pk}/"
    for change in ({"dialect": "anthropic"}, {"base_url": "https://elsewhere.example.com/v1"}):
        refused = api.patch(url, change)
        assert (refused.status_code, list(refused.json())) == (400, ["api_key"])
    assert api.patch(url, {"dialect": "openai_compatible", "base_url": provider.base_url}).status_code == 200
    provider.refresh_from_db()
    assert unseal(provider.sealed_api_key) == "sk-1"
    moved = api.patch(url, {"dialect": "anthropic", "base_url": "", "api_key": "sk-2"})
    assert moved.json()["base_url"].startswith("https://api.anthropic.com")
    provider.refresh_from_db()
    assert unseal(provider.sealed_api_key) == "sk-2"


def test_the_address_follows_the_dialect_unless_it_is_ones_own() -> None:
    own = make_provider("Own", dialect="openai", base_url="https://gateway.example.com/v1")
    given = make_provider("Given", dialect="openai")
    for provider in (own, given):
        update_target(actor=None, target=provider.target, dialect="gemini")
        provider.refresh_from_db()
    assert own.base_url == "https://gateway.example.com/v1"
    assert "googleapis.com" in given.base_url


def test_azures_version_may_stand_in_the_address_and_nothing_else(api: APIClient) -> None:
    address = "https://acme.openai.azure.com?api-version=2024-10-21"
    made = api.post(URL, {"name": "Azure", "dialect": "azure", "base_url": address, "api_key": "k"})
    assert (made.status_code, made.json().get("base_url")) == (201, address)
    refused = api.patch(f"{URL}{made.json()['id']}/", {"base_url": f"{address}&key=k"})
    assert list(refused.json()) == ["base_url"]


def test_a_cap_is_set_changed_and_lifted(api: APIClient) -> None:
    provider = make_provider("Acme")
    url = f"{URL}{provider.pk}/"
    assert api.get(url).json()["monthly_cap"] is None
    assert api.patch(url, {"monthly_cap": "20"}).json()["monthly_cap"] == 20
    assert api.patch(url, {"tags": ["paid"]}).json()["monthly_cap"] == 20
    assert api.patch(url, {"monthly_cap": None}).json()["monthly_cap"] is None
    assert Budget.objects.get(provider=provider).monthly_cap is None


def test_whoever_lies_above_is_told_what_is_new_and_what_changed(told: list[frozenset[str]]) -> None:
    provider = make_provider("Acme", base_url="https://a.example.com/v1")
    assert {"dialect", "base_url", "status_page_url"} <= told.pop()
    told.clear()
    update_target(
        actor=None,
        target=provider.target,
        base_url="https://a.example.com/v2",
        verify_tls=True,
        status_page_url="https://status.example.com",
    )
    assert told == [frozenset({"base_url", "status_page_url"})]
    told.clear()
    update_target(actor=None, target=provider.target, api_key="sk-1")
    update_target(actor=None, target=provider.target, monthly_cap=Decimal(2))
    update_target(actor=None, target=provider.target, monthly_cap=Decimal(2), name="Acme AI")
    assert told == [frozenset({"api_key"}), frozenset({"monthly_cap"})]


def test_an_edit_leaves_its_trace_without_the_key(api: APIClient) -> None:
    provider = make_provider("Acme", base_url="https://a.example.com/v1", api_key="sk-old")
    api.patch(f"{URL}{provider.pk}/", {"base_url": "https://a.example.com/v2", "api_key": "sk-new"})
    entry = AuditEntry.objects.filter(object_id=provider.pk, action="update").latest("at")
    assert entry.changes["base_url"] == ["https://a.example.com/v1", "https://a.example.com/v2"]
    assert "sk-" not in str(entry.changes)


@pytest.mark.parametrize("host", ["example.com", "gateway", "[fd00::1]:8000"])
def test_a_user_in_an_address_is_named_as_what_is_wrong_with_it(api: APIClient, host: str) -> None:
    answer = api.post(URL, {"name": "Acme", "base_url": f"https://me:pass@{host}/v1"})
    [message] = answer.json()["base_url"]
    assert message.startswith("Leave the user and password out")
    assert "pass@" not in message
