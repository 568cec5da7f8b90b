"""Settings: one's own preferences, password and tokens; places; how the portal feels itself."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import ApiToken, User
from apps.catalog.models import Environment
from tests.dashboard.test_overview_page import text_of
from tests.factories import PASSWORD, api_client, make_service, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


# --- Profile --------------------------------------------------------------------------------------------------


def test_language_zone_and_theme_are_remembered(page: Client, viewer: User) -> None:
    answer = page.post(
        "/settings/", {"form": "preferences", "language": "ko", "time_zone": "Asia/Seoul", "theme": "dark"}
    )
    assert answer.status_code == 302
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ko"
    assert answer.cookies["portal_theme"].value == "dark"
    viewer.refresh_from_db()
    assert (viewer.language, viewer.time_zone, viewer.theme) == ("ko", "Asia/Seoul", "dark")
    assert 'lang="ko"' in page.get("/settings/").content.decode()


@pytest.mark.parametrize(
    "change", [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"theme": "pink"}, {"theme": ""}]
)
def test_a_preference_that_does_not_exist_is_an_error_at_its_field(
    page: Client, viewer: User, change: dict[str, str]
) -> None:
    values = {"form": "preferences", "language": "en", "time_zone": "UTC", "theme": "dark", **change}
    answer = page.post("/settings/", values)
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    viewer.refresh_from_db()
    assert viewer.theme == "system"


def test_the_password_is_changed_and_this_browser_stays_signed_in(page: Client, viewer: User) -> None:
    other = Client()
    other.force_login(viewer)
    new = "a much longer secret"

    answer = page.post("/settings/", {"form": "password", "present": PASSWORD, "password": new, "again": new})

    assert answer.status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password(new)
    assert page.get("/settings/").status_code == 200
    assert other.get("/settings/").status_code == 302


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"present": "wrong"}, "This is not your present password."),
        ({"again": "something else"}, "The two new passwords differ."),
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "", "again": ""}, "required"),
    ],
)
def test_a_bad_password_is_refused_with_a_sentence_and_echoed_nowhere(
    page: Client, viewer: User, values: dict[str, str], sentence: str
) -> None:
    new = "a much longer secret"
    answer = page.post("/settings/", {"form": "password", "present": PASSWORD, "password": new, "again": new, **values})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert sentence in shown
    assert new not in shown
    assert PASSWORD not in shown
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


# --- Tokens ---------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_works(page: Client, viewer: User) -> None:
    answer = page.post("/settings/tokens/", {"name": "backup job", "scope": "read", "lifetime": "30"})
    secret = re.search(r'<pre id="new-token"[^>]*>([^<]+)</pre>', answer.content.decode())
    assert secret
    assert api_client(token=secret[1]).get("/api/v1/summary/").status_code == 200
    assert secret[1] not in page.get("/settings/tokens/").content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    token = ApiToken.objects.get(user=viewer)
    assert token.expires_at is not None
    assert token.name == "backup job"


def test_a_token_is_revoked_by_its_owner_only(page: Client, viewer: User) -> None:
    secret = make_token(viewer)
    own = ApiToken.objects.get(user=viewer)
    make_token(make_user("admin"))
    foreign = ApiToken.objects.exclude(user=viewer).get()

    assert page.post(f"/settings/tokens/{foreign.pk}/revoke/").status_code == 404
    assert page.post(f"/settings/tokens/{own.pk}/revoke/").status_code == 302
    assert api_client(token=secret).get("/api/v1/summary/").status_code == 401
    assert own.name not in re.sub(
        r"data-toast.*", "", page.get("/settings/tokens/").content.decode().split("toasts")[0]
    )
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "bell\x07"},
        {"scope": "everything"},
        {"lifetime": "7000"},
        {"lifetime": ""},
    ],
)
def test_a_bad_token_is_refused_at_its_field(page: Client, change: dict[str, str]) -> None:
    answer = page.post("/settings/tokens/", {"name": "job", "scope": "read", "lifetime": "never", **change})
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    assert not ApiToken.objects.exists()


# --- Places and health ----------------------------------------------------------------------------------------


def test_only_ones_environments_are_listed_with_their_targets(
    client: Client, production: Environment, development: Environment
) -> None:
    make_service("a", environment=development)
    make_service("b", environment=production)
    client.force_login(make_user("viewer", development))
    shown = client.get("/settings/places/").content.decode()
    assert "?environment=dev" in shown
    assert "?environment=prod" not in shown
    assert "/admin/" not in shown


def test_who_may_operate_is_led_to_the_ping_keys(page: Client, client: Client) -> None:
    assert "/heartbeats/keys/" not in page.get("/settings/places/").content.decode()
    client.force_login(make_user("operator"))
    assert "/heartbeats/keys/" in client.get("/settings/places/").content.decode()


def test_staff_is_led_to_the_administration(client: Client, administrator: User) -> None:
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    assert "/admin/catalog/environment/" in client.get("/settings/places/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_health_names_every_part_the_queues_the_processes_and_the_hit_rates(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    client.get("/fragments/counts/")
    client.get("/fragments/counts/")
    shown = text_of(client.get("/settings/health/").content)
    for word in (
        "PostgreSQL",
        "Valkey",
        "Worker",
        "Tick",
        "Probing",
        "Outbox",
        "Notifications",
        "probe.local",
        "summary",
        "Hit rate",
    ):
        assert word in shown
    assert "The portal is not well" in shown


def test_every_settings_page_leads_to_the_others_and_to_the_api(page: Client) -> None:
    for address in ("/settings/", "/settings/tokens/", "/settings/places/", "/settings/regions/", "/settings/health/"):
        shown = page.get(address).content.decode()
        assert f'href="{address}" aria-current="page"' in shown
        assert 'href="/api/v1/docs/"' in shown
