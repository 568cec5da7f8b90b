"""Two providers serve a model of one name: every page and answer says whose it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.alerts.models import Alert, Notification
from apps.alerts.routing import route_all
from apps.catalog.models import Target
from apps.checks.models import Incident
from tests.alerts.register.opening import channel_for_people, open_alert
from tests.alerts.world import make_channel, make_due
from tests.checks.looking import FAILED, OK, add_check, look
from tests.dashboard.test_overview_page import text_of
from tests.factories import api_client, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db

OPENAI, GATEWAY = "OpenAI", "LiteLLM gateway"


@pytest.fixture
def models(db: None) -> list[Target]:
    """ "gpt-5" of two providers, each in outage with an incident, an alert and a message."""
    make_channel("http://127.0.0.1:9/hook")
    channel_for_people()
    found = [make_model(make_provider(name), "gpt-5").target for name in (OPENAI, GATEWAY)]
    for target in found:
        look(add_check(target), OK, FAILED, FAILED)
    route_all()
    make_due()
    return found


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def words(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return text_of(answer.content)


def fragment(client: Client, name: str) -> str:
    return words(client, reverse("dashboard:overview-fragment", args=[name]))


@pytest.mark.parametrize("panel", ["wrong", "incidents", "changes"])
def test_each_part_of_the_overview_names_the_provider(page: Client, models: list[Target], panel: str) -> None:
    shown = fragment(page, panel)
    assert OPENAI in shown and GATEWAY in shown


def test_the_last_problem_has_its_provider(page: Client) -> None:
    check = add_check(make_model(make_provider(GATEWAY), "gpt-5").target)
    look(check, OK, FAILED, FAILED, OK)
    assert "Last problem: gpt-5 · LiteLLM gateway" in fragment(page, "wrong")


@pytest.mark.parametrize("url", ["/incidents/", "/alerts/", "/alerts/notifications/", "/search/?q=gpt", "/checks/new/"])
def test_lists_and_choices_name_the_provider(page: Client, models: list[Target], url: str) -> None:
    shown = words(page, url)
    assert OPENAI in shown and GATEWAY in shown


def test_what_says_so_is_not_called_by_the_bare_name_of_the_model(page: Client, models: list[Target]) -> None:
    cells = re.findall(r'data-label="Says so">(.*?)</td>', page.get("/alerts/").content.decode(), re.DOTALL)
    assert cells == ["Incident", "Incident"]


def test_what_is_searched_for_is_told_apart_while_somebody_types(page: Client, models: list[Target]) -> None:
    shown = words(page, f"{reverse('dashboard:search-suggestions')}?q=gpt-5")
    assert shown.count("gpt-5 · OpenAI") == shown.count("gpt-5 · LiteLLM gateway") >= 2


def test_titles_name_the_provider(page: Client, models: list[Target]) -> None:
    target = models[1]
    alert, incident = Alert.objects.get(target=target), Incident.objects.get(target=target)
    told = Notification.objects.filter(incident=incident)[0]
    check = target.checks.get()
    for found in (alert, incident, told, check):
        shown = page.get(found.get_absolute_url()).content.decode()
        title = re.search(r"<title>(.*?)</title>", shown, re.DOTALL)
        assert title is not None and "gpt-5 · LiteLLM gateway" in title[1], found


def test_filters_by_one_target_name_the_provider(page: Client, models: list[Target]) -> None:
    target = models[1]
    incident = Incident.objects.get(target=target)
    for url in (
        f"/incidents/?target={target.pk}",
        f"/alerts/?target={target.pk}",
        f"/alerts/notifications/?incident={incident.pk}",
        f"/alerts/notifications/?alert={Alert.objects.get(target=target).pk}",
    ):
        assert "gpt-5 · LiteLLM gateway" in words(page, url), url


def test_the_last_alert_has_its_provider_and_no_code(page: Client, models: list[Target]) -> None:
    for target in models:
        look(target.checks.get(), OK)
    route_all()
    shown = words(page, "/alerts/")
    assert re.search(r"Last alert: gpt-5 · (OpenAI|LiteLLM gateway) ?,", shown)


def test_a_service_has_no_provider_beside_its_name(page: Client, operator: User) -> None:
    look(add_check(make_service("Shop").target), OK, FAILED, FAILED)
    assert "Incident of Shop" in words(page, Incident.objects.get().get_absolute_url())
    assert first(operator, "incidents/")["target"]["provider"] is None


def first(user: User, path: str) -> dict[str, Any]:
    found: dict[str, Any] = api_client(user).get(f"/api/v1/{path}").json()["results"][0]
    return found


@pytest.mark.parametrize("path", ["incidents/", "state-changes/", "alerts/", "notifications/"])
def test_answers_give_the_provider_with_the_target(operator: User, models: list[Target], path: str) -> None:
    named = {str(target.pk): {"id": str(target.namespace_id), "name": target.provider_name} for target in models}
    rows = [row for row in api_client(operator).get(f"/api/v1/{path}").json()["results"] if row["target"]]
    assert {row["target"]["id"] for row in rows} == set(named)
    assert all(row["target"]["provider"] == named[row["target"]["id"]] for row in rows)


def test_naming_providers_asks_no_more_for_more_rows(page: Client, models: list[Target]) -> None:
    def asked(url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert page.get(url).status_code == 200
        return len(queries)

    urls = ("/", "/incidents/", "/alerts/", "/alerts/notifications/", "/search/?q=gpt")
    before = [asked(url) for url in urls]
    for number in range(5):
        target = make_model(make_provider(f"Other {number}"), "gpt-5").target
        look(add_check(target), OK, FAILED, FAILED)
        open_alert(target)
    route_all()
    assert [asked(url) for url in urls] == before
