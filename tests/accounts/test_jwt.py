"""JWT pairs: name and password for access and refresh, ended by a new password."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.services import set_password
from tests.factories import PASSWORD, api_client

pytestmark = pytest.mark.django_db
PAIR, REFRESH = "/api/v1/auth/token/", "/api/v1/auth/token/refresh/"


def pair(user: User, password: str = PASSWORD) -> Any:
    return api_client().post(PAIR, {"username": user.username, "password": password})


def read(access: str) -> Any:
    return api_client(token=access).get("/api/v1/targets/")


def test_a_pair_opens_the_api_and_renews_itself(viewer: User) -> None:
    tokens = pair(viewer).json()
    assert set(tokens) == {"access", "refresh"}
    assert read(tokens["access"]).status_code == 200
    renewed = api_client().post(REFRESH, {"refresh": tokens["refresh"]})
    assert renewed.status_code == 200
    assert read(renewed.json()["access"]).status_code == 200


def test_it_carries_the_whole_role(operator: User) -> None:
    client = api_client(token=pair(operator).json()["access"])
    assert client.post("/api/v1/services/", {"name": "Shop"}).status_code == 201


def test_a_wrong_password_is_401_and_says_no_more_than_that(viewer: User) -> None:
    wrong = pair(viewer, "wrong")
    unknown = api_client().post(PAIR, {"username": "nobody", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_a_new_password_ends_what_the_old_one_opened(viewer: User) -> None:
    tokens = pair(viewer).json()
    set_password(actor=None, user=viewer, password="another long secret")
    assert read(tokens["access"]).status_code == 401
    assert api_client().post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401


def test_a_deactivated_account_is_out(viewer: User) -> None:
    tokens = pair(viewer).json()
    User.objects.update(is_active=False)
    assert read(tokens["access"]).status_code == 401
    assert api_client().post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401


def test_a_removed_account_is_out(viewer: User) -> None:
    tokens = pair(viewer).json()
    viewer.delete()
    assert read(tokens["access"]).status_code == 401
    assert api_client().post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401


@pytest.mark.parametrize("access", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_forged_token_says_what_to_do(db: None, access: str) -> None:
    answer = read(access)
    assert answer.status_code == 401
    assert "/api/v1/auth/token/refresh/" in answer.json()["detail"]


def test_a_refresh_token_opens_nothing(viewer: User) -> None:
    assert read(pair(viewer).json()["refresh"]).status_code == 401


@pytest.mark.parametrize("body", [{}, {"username": "x"}, {"username": ["x"], "password": {}}, [], "text", None])
def test_a_body_of_the_wrong_shape_is_400(db: None, body: Any) -> None:
    answer = api_client().post(PAIR, body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), dict)


def test_guessing_locks_the_name_for_a_while(viewer: User, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    statuses = [pair(viewer, "wrong").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    locked = pair(viewer)
    assert locked.status_code == 429
    assert "15" in locked.json()["detail"]
    assert locked.headers["Retry-After"] == "900"
