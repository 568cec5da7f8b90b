"""Asking a provider for its models, against a real server: the drift, what is added, and every way it can fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.catalog.discovery import base_url_of
from apps.catalog.models import Provider, Target
from apps.probes.ai.dialect import AI_DIALECTS
from tests.factories import api_client, make_model, make_provider
from tests.servers.http import HttpServer, answer, redirect
from tests.servers.model_server import ModelServer

pytestmark = pytest.mark.django_db
KEY = "sk-very-secret"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


@pytest.fixture
def provider(server: HttpServer) -> Provider:
    return make_provider("Acme", base_url=server.url("/v1"), api_key=KEY)


def offer(server: HttpServer, *names: str) -> None:
    server.behave("/v1/models", answer(200, {"object": "list", "data": [{"id": name} for name in names]}))


def discover(operator: User, provider: Provider, body: Any = None) -> Any:
    return api_client(operator).post(f"/api/v1/providers/{provider.pk}/discover/", body or {})


def test_the_drift_is_shown_both_ways(operator: User, server: HttpServer, provider: Provider) -> None:
    make_model(provider, "old")
    make_model(provider, "both")
    offer(server, "new", "both")
    found = discover(operator, provider)
    assert found.status_code == 200
    assert found.json() == {"offered": ["both", "new"], "added": [], "missing_here": ["new"], "gone_there": ["old"]}
    assert server.received[-1].headers["authorization"] == f"Bearer {KEY}"
    provider.refresh_from_db()
    assert provider.offered_models == ["both", "new"]
    assert provider.last_discovered_at is not None


def test_the_chosen_are_added_and_once(operator: User, server: HttpServer, provider: Provider) -> None:
    offer(server, "a", "b", "c")
    assert discover(operator, provider, {"add": ["b", "b"]}).json()["added"] == ["b"]
    again = discover(operator, provider, {"add": ["b"]}).json()
    assert (again["added"], again["missing_here"]) == ([], ["a", "c"])
    assert discover(operator, provider, {"all": True}).json()["added"] == ["a", "c"]
    statuses = Target.objects.filter(kind="model").values_list("name", "status_row__status")
    assert sorted(statuses) == [("a", "unknown"), ("b", "unknown"), ("c", "unknown")]


def test_what_is_not_offered_cannot_be_added(operator: User, server: HttpServer, provider: Provider) -> None:
    offer(server, "a")
    refused = discover(operator, provider, {"add": ["a", "z"]})
    assert (refused.status_code, list(refused.json())) == (400, ["add"])
    assert "z" in refused.json()["add"][0]
    assert not Target.objects.filter(kind="model").exists()


def test_names_that_differ_by_case_alone_are_one_model(operator: User, server: HttpServer, provider: Provider) -> None:
    offer(server, "GPT", "gpt")
    assert discover(operator, provider, {"all": True}).json()["added"] == ["GPT"]


def test_names_that_are_none_are_left_out(operator: User, server: HttpServer, provider: Provider) -> None:
    offer(server, "good", " edge ", "line\nbreak", "")
    assert discover(operator, provider).json()["offered"] == ["good"]


@pytest.mark.parametrize(
    ("behaviour", "field"),
    [
        (answer(401, {"error": {"message": f"Incorrect API key: {KEY}"}}), "api_key"),
        (answer(403, {}), "api_key"),
        (answer(402, {}), "api_key"),
        (answer(500, "oops"), "base_url"),
        (answer(404, "nothing"), "base_url"),
        (answer(200, "<html>"), "base_url"),
        (answer(200, {"data": "none"}), "base_url"),
        (redirect("http://127.0.0.1:9/steal"), "base_url"),
    ],
)
def test_an_answer_that_is_no_list_is_an_error_of_its_field(
    operator: User, server: HttpServer, provider: Provider, behaviour: Any, field: str
) -> None:
    server.behave("/v1/models", behaviour)
    refused = discover(operator, provider)
    assert (refused.status_code, list(refused.json())) == (400, [field])
    assert KEY not in refused.content.decode()
    assert len(server.received) == 1


@pytest.mark.parametrize("path", ["/reset", "/garbage", "/bomb", "/empty"])
def test_a_provider_that_misbehaves_is_named_by_its_fault(
    operator: User, server: HttpServer, provider: Provider, path: str
) -> None:
    server.behave("/v1/models", server._told.behaviours[path])
    refused = discover(operator, provider)
    assert (refused.status_code, list(refused.json())) == (400, ["base_url"])


def test_a_denied_address_is_not_contacted(
    operator: User, server: HttpServer, provider: Provider, settings: Settings
) -> None:
    settings.PORTAL_PROBE_DENY = "loopback"
    refused = discover(operator, provider)
    assert (refused.status_code, list(refused.json())) == (400, ["base_url"])
    assert server.received == []


def test_without_an_address_there_is_nobody_to_ask(operator: User) -> None:
    refused = discover(operator, make_provider())
    assert (refused.status_code, list(refused.json())) == (400, ["base_url"])


@pytest.mark.parametrize("dialect", ["openai", "openai_compatible", "anthropic", "gemini", "ollama", "azure"])
def test_a_provider_is_asked_in_its_own_dialect(operator: User, dialect: str) -> None:
    with ModelServer(key=KEY, models=("model-a", "model-b")) as server:
        if dialect == "ollama":
            server.key = ""
        provider = make_provider(base_url=server.base_url(dialect), api_key=KEY, dialect=dialect)
        found = discover(operator, provider)
    assert found.status_code == 200, found.content
    assert found.json()["offered"] == ["model-a", "model-b"]


def test_a_dialect_with_an_address_of_its_own_needs_none() -> None:
    provider = make_provider(dialect="gemini")
    assert base_url_of(provider) == AI_DIALECTS.get("gemini").default_base_url
    assert base_url_of(make_provider(dialect="openai_compatible")) == ""
