"""The guards on the page of a region: listed with what was found, added, edited and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.checks.models import Guard
from apps.core import clock
from tests.checks.guards.listed import list_guard
from tests.dashboard.regions import quiet_broker
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NEW = "/settings/regions/local/guards/new/?kind=tcp"
FORM = {"name": "Gateway", "config.host": "127.0.0.1", "config.port": "53", "timeout_seconds": "2", "enabled": "on"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet_broker():
        yield


@pytest.fixture
def admin_page(client: Client) -> Client:
    client.force_login(make_user("admin"))
    return client


def test_a_region_without_guards_teaches_what_they_are_for(admin_page: Client) -> None:
    text = text_of(admin_page.get("/settings/regions/local/").content)

    assert "This region has no guard." in text
    assert "the region has lost its own line" in text


def test_a_guard_stands_there_with_what_was_found_and_since_when(client: Client, viewer: User) -> None:
    guard = list_guard(name="Gateway")
    now = clock.now()
    Guard.objects.filter(pk=guard.pk).update(
        state="fails",
        since=now - timedelta(minutes=28),
        last_looked_at=now,
        reason="connect_refused",
        evidence={"host": "127.0.0.1", "port": 9},
    )
    client.force_login(viewer)

    text = text_of(client.get("/settings/regions/local/").content).replace("\u00a0", " ")

    for word in ("Gateway", "Does not answer", "28 min ago", "refused", "Lost", "Evidence"):
        assert word in text, word
    assert f"/guards/{guard.pk}/" not in client.get("/settings/regions/local/").content.decode()


def test_an_administrator_adds_edits_and_removes_a_guard(admin_page: Client) -> None:
    answer = admin_page.post(NEW, FORM, follow=True)
    guard = Guard.objects.get()
    assert answer.redirect_chain == [("/settings/regions/local/", 302)]
    assert (guard.name, guard.kind, guard.timeout_seconds, guard.config["port"]) == ("Gateway", "tcp", 2.0, 53)
    # Nobody serves the region, and whoever adds a guard there is told.
    assert "No worker has been heard from local" in text_of(answer.content)

    address = f"/settings/regions/local/guards/{guard.pk}/"
    assert 'value="Gateway"' in admin_page.get(address).content.decode()
    admin_page.post(address, {**FORM, "name": "Router", "enabled": ""})
    guard.refresh_from_db()
    assert (guard.name, guard.enabled) == ("Router", False)

    admin_page.post(f"{address}delete/")
    assert not Guard.objects.exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "required"),
        ({"config.host": ""}, "required"),
        ({"config.port": "70000"}, "65535"),
        ({"timeout_seconds": "60"}, "The timeout must be from"),
    ],
)
def test_a_bad_guard_is_refused_at_its_field(admin_page: Client, values: dict[str, str], sentence: str) -> None:
    answer = admin_page.post(NEW, {**FORM, **values})

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Guard.objects.exists()


def test_a_name_that_is_taken_is_said_at_the_name(admin_page: Client) -> None:
    list_guard(name="Gateway")

    answer = admin_page.post(NEW, {**FORM, "name": "gateway"})

    assert answer.status_code == 400
    assert "This region has a guard with this name." in answer.content.decode()


def test_an_unknown_kind_means_the_usual_one(admin_page: Client) -> None:
    shown = admin_page.get("/settings/regions/local/guards/new/?kind=nonsense").content.decode()

    assert 'name="config.host"' in shown


def test_a_guard_of_another_region_is_404(admin_page: Client) -> None:
    guard = list_guard()

    assert admin_page.get(f"/settings/regions/nowhere/guards/{guard.pk}/").status_code == 404


def test_a_viewer_changes_no_guard(client: Client, viewer: User) -> None:
    guard = list_guard()
    client.force_login(viewer)

    for address in ("", "delete/"):
        assert client.post(f"/settings/regions/local/guards/{guard.pk}/{address}").status_code == 403
    assert Guard.objects.exists()
