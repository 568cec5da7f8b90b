"""The admin of the catalog: its forms write through the services, and its lists show the status."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import AIModel, Environment, Provider, Service, Target
from apps.core.secrets import unseal
from tests.factories import make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


def errors_of(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_a_service_made_here_has_its_status_row_and_its_audit_entry(
    staff: Client, administrator: User, production: Environment
) -> None:
    body = {"name": "Shop", "environment": production.pk, "tags": "web, eu", "url": "", "description": ""}
    answer = staff.post("/admin/catalog/service/add/", body)
    assert answer.status_code == 302, errors_of(answer)
    service = Service.objects.get()
    assert (service.target.name, service.target.tags, service.target.status_row.status) == (
        "Shop",
        ["web", "eu"],
        "unknown",
    )
    assert AuditEntry.objects.get(object_id=service.pk).actor == administrator


def test_the_rules_of_the_service_are_shown_at_their_fields(staff: Client, production: Environment) -> None:
    make_service("Shop")
    body = {"name": "shop", "environment": production.pk, "tags": "", "url": "ftp://x", "description": ""}
    answer = staff.post("/admin/catalog/service/add/", body)
    assert answer.status_code == 200
    assert set(errors_of(answer)) == {"name", "url"}
    assert Service.objects.count() == 1
    assert not AuditEntry.objects.filter(object_name="shop").exists()


def test_an_empty_key_leaves_the_stored_one(staff: Client) -> None:
    provider = make_provider("Acme", base_url="https://acme.test/v1", api_key="sk-old")
    page = staff.get(f"/admin/catalog/provider/{provider.pk}/change/")
    assert b"sk-old" not in page.content
    body = {"name": "Acme AI", "tags": "", "enabled": "on", "base_url": "https://acme.test/v2", "api_key": ""}
    answer = staff.post(f"/admin/catalog/provider/{provider.pk}/change/", body)
    assert answer.status_code == 302, errors_of(answer)
    provider = Provider.objects.get()
    assert (provider.target.name, provider.base_url) == ("Acme AI", "https://acme.test/v2")
    assert unseal(provider.sealed_api_key) == "sk-old"


def test_a_model_is_made_under_its_provider(staff: Client) -> None:
    provider = make_provider()
    answer = staff.post("/admin/catalog/aimodel/add/", {"name": "gpt", "provider": provider.pk, "tags": ""})
    assert answer.status_code == 302, errors_of(answer)
    assert AIModel.objects.get().target.environment == provider.target.environment


def test_removing_is_soft_whatever_hangs_on_the_target(staff: Client) -> None:
    model = make_model()
    url = f"/admin/catalog/provider/{model.provider.pk}/delete/"
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not Target.objects.present().exists()
    assert Target.objects.count() == 2


def test_dependencies_are_chosen_among_neighbours(staff: Client, development: Environment) -> None:
    shop, database = make_service("Shop").target, make_service("Database").target
    elsewhere = make_service("Elsewhere", environment=development).target
    url = f"/admin/catalog/target/{shop.pk}/change/"
    body = {"name": "Shop", "tags": "", "enabled": "on"}
    assert "depends_on" in errors_of(staff.post(url, {**body, "depends_on": [elsewhere.pk]}))
    assert staff.post(url, {**body, "depends_on": [database.pk]}).status_code == 302
    assert list(shop.depends_on.all()) == [database]


def test_a_list_shows_shape_and_word(staff: Client) -> None:
    target = make_service("Shop").target
    target.status_row.status = "outage"
    target.status_row.save()
    page = staff.get("/admin/catalog/service/").content.decode()
    assert "■ Outage" in page


def test_the_selected_are_switched_off_together(staff: Client) -> None:
    services = [make_service() for _ in range(2)]
    body = {"action": "disable", "_selected_action": [str(service.pk) for service in services]}
    staff.post("/admin/catalog/service/", body)
    assert not Target.objects.filter(enabled=True).exists()


@pytest.mark.parametrize("path", ["service/", "provider/", "aimodel/", "target/", "environment/", "region/"])
def test_staff_who_may_only_view_see_lists_and_change_nothing(viewer: User, path: str) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    make_model()
    make_service()
    client = Client()
    client.force_login(User.objects.get(pk=viewer.pk))
    assert client.get(f"/admin/catalog/{path}").status_code == 200
    assert client.get(f"/admin/catalog/{path}add/").status_code == 403


def test_an_environment_is_removed_only_when_it_is_empty(staff: Client, development: Environment) -> None:
    make_service(environment=development)
    url = f"/admin/catalog/environment/{development.pk}/delete/"
    assert staff.post(url, {"post": "yes"}).status_code == 403
    Target.objects.all().delete()
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not Environment.objects.filter(pk=development.pk).exists()


@pytest.mark.parametrize("kind", ["service", "provider", "aimodel"])
def test_the_empty_form_opens_and_the_filled_one_too(staff: Client, kind: str) -> None:
    rows = {"service": make_service(), "provider": make_provider(), "aimodel": make_model()}
    for page in ("add", f"{rows[kind].pk}/change", f"{rows[kind].pk}/history"):
        assert staff.get(f"/admin/catalog/{kind}/{page}/").status_code == 200
