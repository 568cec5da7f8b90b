"""The page of one model: what is wrong and whose fault that is, its numbers with their formula, and what to do next."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def test_a_model_nobody_looked_at_says_what_to_do_next(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt-5")
    shown = text_of(page.get(model.target.get_absolute_url()).content)
    assert shown.count("This part could not be loaded") == 1  # the pattern for scripts
    assert "No streaming check yet" in shown


def test_compare(page: Client) -> None:
    model = make_model(make_provider("OpenAI"), "gpt-5")
    shown = text_of(page.get(f"/models/compare/?ids={model.pk}").content)
    assert shown.count("This part could not be loaded") == 1  # the pattern for scripts
    assert "gpt-5" in shown
    assert page.get("/models/compare/").status_code == 200
    assert page.get(f"/models/compare/first-token.json?ids={model.pk}").status_code == 200
    assert page.get(f"{model.target.get_absolute_url()}charts/first-token.json?range=90d").status_code == 200
