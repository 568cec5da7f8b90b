"""Making, editing, switching and removing what is watched, and asking a provider what it offers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment, Provider, Target
from apps.core.secrets import unseal
from tests.checks.test_pages_forms import errors_at
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider, make_service, make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


# --- Making ---------------------------------------------------------------------------------------------------


def test_a_service_is_added_and_leads_to_its_first_check(page: Client, production: Environment) -> None:
    values = {"environment": production.pk, "name": "Shop", "url": "https://shop.example.com", "tags": "web, web, eu"}
    reply = page.post("/services/new/", values, follow=True)
    target = Target.objects.get()
    assert reply.redirect_chain[-1][0] == target.get_absolute_url()
    assert (target.kind, target.name, target.tags) == ("service", "Shop", ["web", "eu"])
    assert "Shop was added." in text_of(reply.content)
    assert f"/checks/new/?target={target.pk}" in reply.content.decode()


def test_a_provider_is_added_with_a_sealed_key(page: Client, production: Environment) -> None:
    values = {
        "environment": production.pk,
        "name": "OpenAI",
        "base_url": "https://api.example.com/v1",
        "api_key": "sk-1",
    }
    page.post("/providers/new/", values)
    provider = Provider.objects.get()
    assert unseal(provider.sealed_api_key) == "sk-1"
    assert "sk-1" not in page.get(provider.target.get_absolute_url()).content.decode()


def test_a_model_is_added_to_the_provider_it_was_asked_for(page: Client) -> None:
    make_provider("A")
    provider = make_provider("B")
    content = page.get(f"/models/new/?provider={provider.pk}").content.decode()
    assert f'<option value="{provider.pk}" selected>' in content
    page.post("/models/new/", {"provider": provider.pk, "name": "gpt-5"})
    assert Target.objects.get(kind="model").namespace_id == provider.pk


def test_a_model_needs_a_provider_first(page: Client) -> None:
    assert "there is none yet" in text_of(page.get("/models/new/").content)


def test_one_may_only_add_where_one_operates(client: Client, production: Environment, development: Environment) -> None:
    person = make_user("operator", development)
    person.grants.create(role="viewer", environment=production.pk)
    client.force_login(person)
    content = client.get("/services/new/").content.decode()
    assert f'value="{development.pk}"' in content
    assert f'value="{production.pk}"' not in content
    reply = client.post("/services/new/", {"environment": production.pk, "name": "Shop"})
    assert reply.status_code == 400
    assert errors_at(reply.content.decode(), "environment")
    assert not Target.objects.exists()


@pytest.mark.parametrize("path", ["/services/new/", "/providers/new/", "/models/new/"])
def test_a_viewer_adds_nothing(client: Client, viewer: User, path: str) -> None:
    client.force_login(viewer)
    assert client.get(path).status_code == 403
    assert client.post(path, {"name": "x"}).status_code == 403


BAD = [
    ("/services/new/", {"name": ""}, "name"),
    ("/services/new/", {"name": "x" * 201}, "name"),
    ("/services/new/", {"name": "bell\x07"}, "name"),
    ("/services/new/", {"name": "TAKEN"}, "name"),
    ("/services/new/", {"url": "javascript:alert(1)"}, "url"),
    ("/services/new/", {"url": "not a link"}, "url"),
    ("/services/new/", {"description": "x" * 2_001}, "description"),
    ("/services/new/", {"tags": ",".join(f"t{number}" for number in range(30))}, "tags"),
    ("/services/new/", {"tags": "x" * 51}, "tags"),
    ("/services/new/", {"environment": "nonsense"}, "environment"),
    ("/providers/new/", {"base_url": "https://user:pass@example.com/v1"}, "base_url"),
    ("/providers/new/", {"base_url": "example.com"}, "base_url"),
    ("/providers/new/", {"api_key": "sk-1\r\nX: y"}, "api_key"),
    ("/providers/new/", {"api_key": " sk-1 "}, "api_key"),
]


@pytest.mark.parametrize(("path", "change", "field"), BAD, ids=lambda value: str(value)[:40])
def test_wrong_input_is_said_at_its_field_and_nothing_is_stored(
    page: Client, production: Environment, path: str, change: dict[str, str], field: str
) -> None:
    make_service("Taken")
    reply = page.post(path, {"environment": str(production.pk), "name": "Fine", "tags": "kept", **change})
    assert reply.status_code == 400
    content = reply.content.decode()
    assert errors_at(content, field)
    assert Target.objects.count() == 1
    assert "sk-1" not in content
    assert 'value="kept"' in content or field == "tags"


def test_two_providers_may_offer_one_name_but_no_provider_twice(page: Client) -> None:
    first, second = make_provider(), make_provider()
    make_model(first, "gpt-5")
    assert page.post("/models/new/", {"provider": second.pk, "name": "gpt-5"}).status_code == 302
    reply = page.post("/models/new/", {"provider": first.pk, "name": "GPT-5"})
    assert "This provider has a model with this name." in errors_at(reply.content.decode(), "name")


# --- Editing --------------------------------------------------------------------------------------------------


def test_a_service_is_edited(page: Client) -> None:
    service = make_service("Shop", url="https://old.example.com", description="Old")
    other = make_service("Database").target
    address = f"/targets/{service.pk}/edit/"
    content = page.get(address).content.decode()
    assert 'value="https://old.example.com"' in content
    values = {
        "name": "Store",
        "url": "https://new.example.com",
        "description": HOSTILE,
        "tags": "a",
        "depends_on": [other.pk],
    }
    assert page.post(address, values).status_code == 302
    target = Target.objects.get(pk=service.pk)
    assert (target.name, target.service.url, target.tags) == ("Store", "https://new.example.com", ["a"])
    assert list(target.depends_on.all()) == [other]
    assert "<script>alert(1)" not in page.get(target.get_absolute_url()).content.decode()


def test_a_target_cannot_depend_on_itself_around_a_corner(page: Client) -> None:
    first, second = make_service("a").target, make_service("b").target
    first.depends_on.set([second])
    reply = page.post(f"/targets/{second.pk}/edit/", {"name": "b", "depends_on": [first.pk]})
    assert reply.status_code == 400
    assert "depend on itself" in text_of(reply.content)


def test_a_stored_key_is_never_shown_stays_when_left_empty_and_goes_when_ticked_off(page: Client) -> None:
    provider = make_provider("OpenAI", base_url="https://api.example.com/v1", api_key="sk-1")
    address = f"/targets/{provider.pk}/edit/"
    content = page.get(address).content.decode()
    assert "sk-1" not in content
    assert "sealed:" not in content
    assert 'placeholder="unchanged"' in content
    values = {"name": "OpenAI", "base_url": "https://api.example.com/v1", "tags": ""}

    page.post(address, {**values, "api_key": ""})
    provider.refresh_from_db()
    assert unseal(provider.sealed_api_key) == "sk-1"
    page.post(address, {**values, "api_key": "sk-2"})
    provider.refresh_from_db()
    assert unseal(provider.sealed_api_key) == "sk-2"
    page.post(address, {**values, "clear_api_key": "on"})
    provider.refresh_from_db()
    assert provider.sealed_api_key == ""


def test_wrong_input_in_an_edit_changes_nothing(page: Client) -> None:
    service = make_service("Shop", url="https://old.example.com")
    reply = page.post(f"/targets/{service.pk}/edit/", {"name": "New", "url": "nope"})
    assert reply.status_code == 400
    assert errors_at(reply.content.decode(), "url")
    assert Target.objects.get(pk=service.pk).name == "Shop"


def test_pausing_resuming_and_deleting(page: Client) -> None:
    target = make_service("Shop").target
    page.post(f"/targets/{target.pk}/switch/", {"enabled": "no"})
    target.refresh_from_db()
    assert not target.enabled
    page.post(f"/targets/{target.pk}/switch/", {"enabled": "yes"})
    target.refresh_from_db()
    assert target.enabled
    reply = page.post(f"/targets/{target.pk}/delete/", follow=True)
    assert reply.redirect_chain[-1][0] == "/services/"
    assert "Shop was deleted." in text_of(reply.content)
    assert page.get(target.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("action", ["switch", "delete"])
def test_what_changes_something_takes_a_post_with_a_token(operator: User, action: str) -> None:
    target = make_service("Shop").target
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.get(f"/targets/{target.pk}/{action}/").status_code == 405
    assert client.post(f"/targets/{target.pk}/{action}/").status_code == 403


# --- Discovery ------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(server: HttpServer) -> Provider:
    offered = {"object": "list", "data": [{"id": name} for name in ("gpt-5", "gpt-6", HOSTILE)]}
    server.behave("/v1/models", answer(200, offered))
    made = make_provider("OpenAI", base_url=server.url("/v1"), api_key="sk-1")
    make_model(made, "gpt-5")
    make_model(made, "gpt-3")
    return made


def test_a_provider_is_asked_and_the_chosen_models_are_added(
    page: Client, provider: Provider, server: HttpServer
) -> None:
    address = f"/providers/{provider.pk}/discover/"
    assert "was not asked yet" in text_of(page.get(address).content)

    content = page.post(address, follow=True).content.decode()
    assert server.received[-1].headers["authorization"] == "Bearer sk-1"
    offered = re.findall(r'name="add" value="([^"]+)"', content)
    assert offered == ["&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;", "gpt-5", "gpt-6"]
    assert "<script>alert(1)" not in content
    assert text_of(content.encode()).partition("Not in its list any more")[2].split()[1] == "gpt-3"

    reply = page.post(address, {"action": "save", "add": ["gpt-6"], "rung_1": "on", "rung_2": "on"}, follow=True)
    assert "1 model was added." in text_of(reply.content)
    assert Target.objects.filter(kind="model", name="gpt-6").exists()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {}, "does not accept the API key"),
        (500, {}, "500"),
        (200, {"something": "else"}, "Expected"),
    ],
)
def test_a_provider_that_does_not_answer_rightly_is_said_in_a_sentence(
    page: Client, provider: Provider, server: HttpServer, status: int, body: dict[str, object], sentence: str
) -> None:
    server.behave("/v1/models", answer(status, body))
    reply = page.post(f"/providers/{provider.pk}/discover/")
    assert reply.status_code == 400
    notices = re.findall(r'class="notice tone-bad" role="alert">(.*?)</div>', reply.content.decode(), re.DOTALL)
    assert sentence in text_of(notices[0].encode())


def test_only_providers_are_asked_and_only_by_operators(client: Client, viewer: User, page: Client) -> None:
    service, provider = make_service(), make_provider()
    assert page.get(f"/providers/{service.pk}/discover/").status_code == 404
    client.force_login(viewer)
    assert client.get(f"/providers/{provider.pk}/discover/").status_code == 403
