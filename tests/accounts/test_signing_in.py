"""Login and logout, the one door into the admin, and the preferences a page offers."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from pytest_django import Settings

from apps.accounts.middleware import PreferencesMiddleware
from apps.accounts.models import User
from apps.accounts.services import set_password
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.username, password=PASSWORD)
    return client


def is_signed_in(client: Client) -> bool:
    """A page of the admin shows itself to staff and leads everybody else away."""
    return client.get("/admin/").status_code == 200


def test_name_and_password_open_the_portal(administrator: User) -> None:
    client = Client()
    answer = client.post("/login/", {"username": administrator.username, "password": PASSWORD, "next": "/admin/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert is_signed_in(client)


def test_a_next_that_leads_elsewhere_is_not_followed(administrator: User) -> None:
    body = {"username": administrator.username, "password": PASSWORD, "next": "https://evil.test/"}
    assert "evil" not in Client().post("/login/", body).headers["Location"]


def test_signing_out_takes_a_post(administrator: User) -> None:
    client = signed_in(administrator)
    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)
    client.post("/logout/")
    assert not is_signed_in(client)


def test_guessing_locks_the_name_for_a_while(viewer: User, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    wrong = {"username": viewer.username, "password": "wrong"}
    statuses = [client.post("/login/", wrong).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    locked = client.post("/login/", {**wrong, "password": PASSWORD})
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "900"


def test_a_new_password_ends_the_sessions_of_the_old_one(administrator: User) -> None:
    client = signed_in(administrator)
    set_password(actor=None, user=administrator, password="another long secret")
    assert not is_signed_in(client)


def test_deactivation_ends_sessions(administrator: User) -> None:
    client = signed_in(administrator)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)


def test_the_admin_has_no_login_of_its_own(viewer: User) -> None:
    away = Client().get("/admin/login/?next=/admin/catalog/")
    assert (away.status_code, away.headers["Location"]) == (302, "/login/?next=/admin/catalog/")
    assert signed_in(viewer).get("/admin/", follow=True).status_code == 403


def test_the_language_is_remembered_in_browser_and_account(viewer: User) -> None:
    client = signed_in(viewer)
    answer = client.post("/language/", {"language": "ko", "next": "/somewhere/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/somewhere/")
    assert client.cookies["portal_language"].value == "ko"
    assert User.objects.get(pk=viewer.pk).language == "ko"


@pytest.mark.parametrize(("path", "field"), [("/language/", "language"), ("/theme/", "theme")])
def test_an_unknown_preference_is_refused_and_the_known_named(db: None, path: str, field: str) -> None:
    answer = Client().post(path, {field: "klingon"})
    assert answer.status_code == 400
    assert b"known are" in answer.content
    assert Client().get(path).status_code == 405


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "javascript:alert(1)", ""])
def test_a_preference_never_leads_out_of_the_portal(db: None, target: str) -> None:
    assert Client().post("/theme/", {"theme": "dark", "next": target}).headers["Location"] == "/"


def seen_by_a_view(user: Any, cookies: dict[str, str], **headers: str) -> tuple[str, str]:
    """Language and zone inside a request."""
    found: list[tuple[str, str]] = []

    def view(request: HttpRequest) -> HttpResponse:
        found.append((translation.get_language(), timezone.get_current_timezone_name()))
        return HttpResponse()

    request = RequestFactory().get("/", headers=headers)
    request.COOKIES = {**cookies, "portal_session": "x"}
    request.user = user
    with translation.override("en"):
        PreferencesMiddleware(view)(request)
    return found[0]


def test_language_and_zone_are_the_users_own(viewer: User) -> None:
    viewer.language, viewer.time_zone = "ko", "Asia/Seoul"
    assert seen_by_a_view(viewer, {"portal_zone": "Europe/Paris"}) == ("ko", "Asia/Seoul")


def test_else_the_zone_is_the_browsers(viewer: User) -> None:
    assert seen_by_a_view(viewer, {"portal_zone": "Europe/Paris"}) == ("en", "Europe/Paris")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Mars/Olympus", "", "\x00"])
def test_a_zone_nobody_knows_is_utc(viewer: User, zone: str) -> None:
    assert seen_by_a_view(viewer, {"portal_zone": zone}) == ("en", "UTC")


def test_the_zone_of_one_request_is_not_that_of_the_next(viewer: User) -> None:
    seen_by_a_view(viewer, {"portal_zone": "Europe/Paris"})
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_cookie_speaks_for_somebody_who_is_not_signed_in(db: None) -> None:
    client = Client()
    client.cookies = SimpleCookie({"portal_language": "ko"})
    assert client.get("/login/").headers["Content-Language"] == "ko"
    assert Client(headers={"accept-language": "ko"}).get("/login/").headers["Content-Language"] == "ko"
