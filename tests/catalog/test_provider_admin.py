"""The admin of providers, budgets and prices: everything goes through the services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Budget, Environment, Price, Provider
from apps.core.secrets import unseal
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


def errors_of(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_a_provider_is_made_with_all_it_has(staff: Client, production: Environment) -> None:
    body = {
        "name": "Acme",
        "environment": production.pk,
        "tags": "",
        "dialect": "anthropic",
        "base_url": "",
        "api_key": "sk-1",
        "paid_at_once": "2",
        "monthly_cap": "12.50",
        "status_page_url": "https://status.example.com",
        "status_components": "API\nConsole",
        "skip_tls": "on",
    }
    answer = staff.post("/admin/catalog/provider/add/", body)
    assert answer.status_code == 302, errors_of(answer)
    provider = Provider.objects.get()
    assert (provider.dialect, provider.paid_at_once, provider.verify_tls) == ("anthropic", 2, False)
    assert provider.base_url.startswith("https://api.anthropic.com")
    assert provider.status_components == ["API", "Console"]
    assert provider.budget.monthly_cap == Decimal("12.5")
    assert unseal(provider.sealed_api_key) == "sk-1"
    assert b"12.5" in staff.get("/admin/catalog/provider/").content


def test_an_edit_shows_what_is_stored_and_lifts_a_cap_that_is_emptied(staff: Client) -> None:
    provider = make_provider("Acme", base_url="https://acme.test/v1", monthly_cap=Decimal(3), status_components=["API"])
    url = f"/admin/catalog/provider/{provider.pk}/change/"
    initial = staff.get(url).context["adminform"].form.initial
    assert (initial["monthly_cap"], initial["status_components"]) == (Decimal(3), "API")
    answer = staff.post(url, {"name": "Acme", "tags": "", "enabled": "on", "base_url": "https://acme.test/v1"})
    assert answer.status_code == 302, errors_of(answer)
    assert Budget.objects.get(provider=provider).monthly_cap is None


def test_a_key_with_a_line_break_is_refused_at_its_field(staff: Client, production: Environment) -> None:
    body = {"name": "Acme", "environment": production.pk, "base_url": "https://acme.test/v1", "api_key": "sk\n1"}
    answer = staff.post("/admin/catalog/provider/add/", body)
    assert set(errors_of(answer)) == {"api_key"}
    assert not Provider.objects.exists()


def test_a_budget_of_all_is_set_and_changed_with_an_audit_entry(staff: Client, administrator: User) -> None:
    answer = staff.post("/admin/catalog/budget/add/", {"provider": "", "monthly_cap": "100"})
    assert answer.status_code == 302, errors_of(answer)
    budget = Budget.objects.get(provider=None)
    url = f"/admin/catalog/budget/{budget.pk}/change/"
    assert errors_of(staff.post(url, {"monthly_cap": "-1"})).keys() == {"monthly_cap"}
    assert staff.post(url, {"monthly_cap": "80"}).status_code == 302
    budget.refresh_from_db()
    assert budget.monthly_cap == Decimal(80)
    assert AuditEntry.objects.filter(object_id=budget.pk, actor=administrator).exists()
    assert staff.get(f"/admin/catalog/budget/{budget.pk}/delete/").status_code == 403


def test_a_price_is_made_edited_and_removed(staff: Client) -> None:
    body = {
        "provider": "",
        "dialect": "openai",
        "model": "acme-*",
        "input_per_million": "1.5",
        "output_per_million": "6",
        "valid_from": "2026-01-01",
    }
    answer = staff.post("/admin/catalog/price/add/", body)
    assert answer.status_code == 302, errors_of(answer)
    price = Price.objects.get(model="acme-*")
    url = f"/admin/catalog/price/{price.pk}/change/"
    assert "dialect" in errors_of(staff.post(url, {**body, "dialect": ""}))
    assert staff.post(url, {**body, "output_per_million": "7"}).status_code == 302
    price.refresh_from_db()
    assert price.output_per_million == Decimal(7)
    assert staff.post(f"/admin/catalog/price/{price.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Price.objects.filter(pk=price.pk).exists()
