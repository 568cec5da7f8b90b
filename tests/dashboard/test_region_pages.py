"""Settings → Regions: who looks, how well, and what an administrator may do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Environment, Region
from tests.dashboard.regions import hear, make_region, quiet_broker
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_check, make_user
from tests.live.valkey import breakable_valkey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet_broker():
        yield


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def admin_page(client: Client) -> Client:
    client.force_login(make_user("admin"))
    return client


def shown(client: Client, address: str = "/settings/regions/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text_of(answer.content).replace("\u00a0", " ")


def test_a_region_that_works_shows_what_its_workers_say(page: Client) -> None:
    make_region("seoul", "Seoul")
    hear("seoul", skew_seconds=0.032)
    hear("seoul", name="seoul-host-2", free_places=100, late_ms_p95=4_200.0)

    text = shown(page)

    for word in ("Seoul", "Working", "14 / 607", "25/s", "4.20 s", "+32 ms", "Unguarded"):
        assert word in text, word


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"skew_seconds": 3600.0}, "clock 1 h ahead; times are taken from the database"),
        ({"skew_seconds": -7.0}, "clock 7 s behind; times are taken from the database"),
        ({"version": "0.0.9"}, "runs 0.0.9, the portal"),
        ({"key_differs": True}, "its key is another one: it cannot read what we send"),
    ],
)
def test_what_is_odd_about_a_worker_is_said_in_words(page: Client, fields: dict[str, Any], sentence: str) -> None:
    make_region("seoul")
    hear("seoul", **fields)

    assert sentence in shown(page)


def test_the_page_of_the_region_says_it_too(page: Client) -> None:
    make_region("seoul")
    hear("seoul", skew_seconds=3600.0, version="0.0.9", key_differs=False)
    hear("seoul", name="seoul-host-2", key_differs=True)

    text = shown(page, "/settings/regions/seoul/")

    assert "clock 1 h ahead; times are taken from the database" in text
    assert "bring both to the same one" in text
    assert "Give it the secret.key of this portal" in text


def test_states_are_told_apart(page: Client) -> None:
    make_region("silent")
    hear("silent", ago=180)
    make_region("fresh")
    make_region("resting", enabled=False)

    text = shown(page)

    assert "Silent" in text
    assert "3 min ago" in text
    assert "Never heard from" in text
    assert "Switched off" in text


def test_without_valkey_the_page_says_so(page: Client, settings: Any) -> None:
    make_region("seoul")
    with breakable_valkey() as valkey:
        settings.REDIS_BROKER_URL = valkey.url
        valkey.stop()

        assert "Valkey does not answer, and workers are heard through it" in shown(page)
        assert "Unknown" in shown(page, "/settings/regions/seoul/")


def test_somebody_without_a_role_sees_no_region(client: Client) -> None:
    client.force_login(make_user(None))

    assert "local" not in shown(client).split("Regions")[-1].split("A region is")[0]
    assert client.get("/settings/regions/local/").status_code == 404


# --- One region -----------------------------------------------------------------------------------------------


def test_a_region_nobody_serves_teaches_how_to_start_a_worker(page: Client) -> None:
    make_region("seoul")
    make_check()

    text = shown(page, "/settings/regions/seoul/")

    assert "No worker has been heard from there" in text
    assert "python manage.py portal worker --region seoul" in text
    assert "Until then the share of" in text


def test_the_workers_of_a_region_stand_there_one_by_one(page: Client) -> None:
    make_region("seoul")
    hear("seoul")
    hear("seoul", name="seoul-host-2", pid=2)

    text = shown(page, "/settings/regions/seoul/")

    for word in ("seoul-host-1", "seoul-host-2", "8.5 %", "61 MB", "7 / 500"):
        assert word in text, word
    assert "No worker has been heard from there" not in text


def test_every_part_is_refreshed_by_itself(page: Client) -> None:
    for part in ("state", "workers", "guards"):
        assert page.get(f"/settings/regions/local/fragments/{part}/").status_code == 200
    assert page.get("/settings/regions/fragments/regions/").status_code == 200
    assert page.get("/settings/regions/local/fragments/nothing/").status_code == 404
    assert 'data-live-poll="10"' in page.get("/settings/regions/").content.decode()


def test_a_region_that_is_not_there_is_404(page: Client) -> None:
    assert page.get("/settings/regions/nowhere/").status_code == 404
    assert page.get("/settings/regions/nowhere/fragments/state/").status_code == 404


# --- Making, editing, removing --------------------------------------------------------------------------------


def test_an_administrator_adds_a_region_and_is_shown_the_command(admin_page: Client) -> None:
    answer = admin_page.post("/settings/regions/new/", {"name": "Seoul", "slug": "seoul", "enabled": "on"}, follow=True)

    assert answer.redirect_chain == [("/settings/regions/seoul/", 302)]
    assert "portal worker --region seoul" in text_of(answer.content)
    assert Region.objects.get(slug="seoul").enabled


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"slug": "local"}, "already exists"),
        ({"slug": "two words"}, "valid"),
        ({"slug": "new"}, "is taken by the pages"),
        ({"slug": ""}, "required"),
        ({"name": ""}, "required"),
        ({"slug": "x" * 33}, "at most 32"),
    ],
)
def test_a_bad_region_is_refused_at_its_field(admin_page: Client, values: dict[str, str], sentence: str) -> None:
    answer = admin_page.post("/settings/regions/new/", {"name": "Seoul", "slug": "seoul", **values})

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Region.objects.exclude(slug="local").exists()


def test_a_region_is_renamed_switched_off_and_on_again(admin_page: Client) -> None:
    region = make_region("seoul")

    admin_page.post("/settings/regions/seoul/edit/", {"name": "Seoul, east", "enabled": "on"})
    admin_page.post("/settings/regions/seoul/switch/", {"enabled": "no"})
    region.refresh_from_db()
    assert (region.name, region.enabled) == ("Seoul, east", False)

    admin_page.post("/settings/regions/seoul/switch/", {"enabled": "yes"})
    region.refresh_from_db()
    assert region.enabled


def test_a_region_is_deleted_and_the_portals_own_is_not(admin_page: Client) -> None:
    make_region("seoul")

    assert admin_page.post("/settings/regions/seoul/delete/").headers["Location"] == "/settings/regions/"
    refused = admin_page.post("/settings/regions/local/delete/", follow=True)

    assert list(Region.objects.values_list("slug", flat=True)) == ["local"]
    assert "its region cannot be removed" in text_of(refused.content)


ADMINISTRATION = ("new/", "local/edit/", "local/switch/", "local/delete/", "local/guards/new/")


@pytest.mark.parametrize("address", ADMINISTRATION)
def test_only_an_administrator_of_everything_changes_regions(
    client: Client, production: Environment, address: str
) -> None:
    for user in (make_user("viewer"), make_user("operator"), make_user("admin", production)):
        client.force_login(user)
        assert client.post(f"/settings/regions/{address}").status_code == 403
    before = shown(client)
    assert "Add a region" not in before
    assert Region.objects.filter(slug="local").exists()


def test_names_from_outside_are_text(page: Client) -> None:
    make_region("seoul", "<script>alert(1)</script>")
    hear("seoul", name='"><img src=x>', version="<b>9</b>")

    for address in ("/settings/regions/", "/settings/regions/seoul/"):
        markup = page.get(address).content.decode()
        assert "<script>alert(1)" not in markup
        assert "<img src=x>" not in markup
        assert "<b>9</b>" not in markup
