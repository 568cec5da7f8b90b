"""The admin of people and tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.access import Role, access_of
from apps.accounts.models import ApiToken, AuditEntry, User
from apps.catalog.models import Environment
from tests.factories import api_client, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


def person_form(user: User, *grants: tuple[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "username": user.username,
        "is_active": "on",
        "theme": "system",
        "language": "ko",
        "time_zone": "Asia/Seoul",
        "grants-TOTAL_FORMS": len(grants),
        "grants-INITIAL_FORMS": 0,
    }
    for number, (role, environment) in enumerate(grants):
        body[f"grants-{number}-role"] = role
        body[f"grants-{number}-environment"] = environment
        body[f"grants-{number}-user"] = str(user.pk)
    return body


def test_roles_are_granted_beside_the_person(staff: Client, development: Environment) -> None:
    user = make_user(None)
    url = f"/admin/accounts/user/{user.pk}/change/"
    answer = staff.post(url, person_form(user, ("operator", str(development.pk)), ("viewer", "")))
    assert answer.status_code == 302, answer.context["errors"]
    user = User.objects.get(pk=user.pk)
    access = access_of(user)
    assert access.allows(Role.OPERATOR, development.pk)
    assert access.allows(Role.VIEWER, None)
    assert not access.allows(Role.OPERATOR, None)
    assert (user.language, user.time_zone) == ("ko", "Asia/Seoul")
    assert set(AuditEntry.objects.filter(object_id=user.pk).values_list("action", flat=True)) >= {"update", "grant"}


def test_an_environment_nobody_knows_is_refused(staff: Client) -> None:
    user = make_user(None)
    url = f"/admin/accounts/user/{user.pk}/change/"
    answer = staff.post(url, person_form(user, ("operator", "0190e7a0-0000-7000-8000-000000000000")))
    assert answer.status_code == 200
    assert not user.grants.exists()


def test_a_role_lifts_nobody_above_the_roles(staff: Client, administrator: User) -> None:
    user = make_user(None)
    staff.post(f"/admin/accounts/user/{user.pk}/change/", {**person_form(user), "is_superuser": "on"})
    assert not User.objects.get(pk=user.pk).is_superuser


def test_the_lists_and_forms_open(staff: Client) -> None:
    user = make_user("viewer")
    token = make_token(user)
    for path in (
        "user/",
        "user/add/",
        f"user/{user.pk}/change/",
        f"user/{user.pk}/password/",
        "apitoken/",
        "apitoken/add/",
    ):
        assert staff.get(f"/admin/accounts/{path}").status_code == 200
    page = staff.get("/admin/accounts/apitoken/").content.decode()
    assert token not in page
    assert ApiToken.objects.get(user=user).digest not in page


def test_a_new_password_is_recorded_without_it(staff: Client) -> None:
    user = make_user("viewer")
    body = {"password1": "another long secret", "password2": "another long secret", "usable_password": "true"}
    assert staff.post(f"/admin/accounts/user/{user.pk}/password/", body).status_code == 302
    assert User.objects.get(pk=user.pk).check_password("another long secret")
    assert AuditEntry.objects.filter(object_id=user.pk, action="password").exists()
    assert "another" not in str(list(AuditEntry.objects.values()))


def test_a_token_made_here_is_shown_once_and_works(staff: Client) -> None:
    user = make_user("viewer")
    body = {"user": str(user.pk), "name": "ci", "scope": "read", "expires_at_0": "", "expires_at_1": ""}
    page = staff.post("/admin/accounts/apitoken/add/", body, follow=True).content.decode()
    plain = re.search(r"mp_[A-Za-z0-9_-]{43}", page)
    assert plain is not None
    assert api_client(token=plain[0]).get("/api/v1/targets/").status_code == 200
    assert plain[0] not in staff.get("/admin/accounts/apitoken/").content.decode()


def test_the_selected_tokens_are_revoked(staff: Client) -> None:
    plain = make_token(make_user("viewer"))
    token = ApiToken.objects.get()
    staff.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": [str(token.pk)]})
    assert api_client(token=plain).get("/api/v1/targets/").status_code == 401


def test_the_audit_log_is_only_read(staff: Client) -> None:
    make_user("viewer")
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert staff.get("/admin/accounts/auditentry/").status_code == 200
    assert staff.get("/admin/accounts/auditentry/add/").status_code == 403
    assert staff.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("path", ["user/", "apitoken/", "auditentry/"])
def test_staff_who_do_not_administer_do_not_see_people(path: str) -> None:
    operator = make_user("operator", is_staff=True)
    client = Client()
    client.force_login(operator)
    assert client.get(f"/admin/accounts/{path}").status_code == 403
