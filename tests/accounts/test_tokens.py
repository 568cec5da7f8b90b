"""API tokens: shown once, hashed at rest, as strong as their scope and their owner, and ended at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts.access import Scope
from apps.accounts.models import ApiToken, AuditEntry, User
from apps.accounts.services import create_token, revoke_token
from apps.core import clock
from tests.factories import api_client, make_token, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/tokens/"


def test_the_secret_is_in_the_answer_once_and_nowhere_else(operator: User) -> None:
    client = api_client(operator)
    made = client.post(URL, {"name": "deploy"})
    assert made.status_code == 201
    plain = made.json()["token"]
    assert plain.startswith("mp_")
    assert made.json()["scope"] == "read"
    rows = client.get(URL).content + str(list(ApiToken.objects.values()) + list(AuditEntry.objects.values())).encode()
    assert plain.encode() not in rows
    assert plain[:10].encode() in rows
    assert api_client(token=plain).get("/api/v1/targets/").status_code == 200


@pytest.mark.parametrize("word", ["Bearer", "Token", "bearer"])
def test_both_words_of_the_header_are_understood(viewer: User, word: str) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"{word} {make_token(viewer)}")
    assert client.get("/api/v1/targets/").status_code == 200


def test_a_token_is_no_stronger_than_its_owner(viewer: User) -> None:
    client = api_client(token=make_token(viewer, Scope.WRITE))
    assert client.post("/api/v1/services/", {"name": "Shop"}).status_code == 403


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"revoked_at": clock.now()}, "revoked"),
        ({"expires_at": clock.now() - timedelta(seconds=1)}, "expired"),
    ],
)
def test_a_token_that_ended_says_why(viewer: User, change: dict[str, object], sentence: str) -> None:
    plain = make_token(viewer)
    ApiToken.objects.update(**change)
    answer = api_client(token=plain).get("/api/v1/targets/")
    assert answer.status_code == 401
    assert sentence in answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_tokens_of_a_deactivated_account_end_with_it(viewer: User) -> None:
    plain = make_token(viewer)
    viewer.is_active = False
    viewer.save()
    assert api_client(token=plain).get("/api/v1/targets/").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Token", "Token nonsense", "Bearer mp_wrong", "Bearer é"])
def test_a_malformed_header_is_refused_with_a_sentence(db: None, header: str) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/v1/targets/")
    assert answer.status_code == 401
    assert answer.json()["detail"]


def test_use_is_noted_at_most_once_a_minute(viewer: User) -> None:
    client = api_client(token=make_token(viewer))
    start = clock.now()
    seen = []
    for seconds in (0, 30, 61):
        with clock.frozen(start + timedelta(seconds=seconds)):
            client.get("/api/v1/targets/")
        seen.append(ApiToken.objects.get().last_used_at)
    assert seen == [start, start, start + timedelta(seconds=61)]


def test_a_token_that_may_only_read_makes_and_ends_none(operator: User) -> None:
    client = api_client(token=make_token(operator, Scope.READ))
    assert client.post(URL, {"name": "more", "scope": "write"}).status_code == 403
    assert client.delete(f"{URL}{ApiToken.objects.get().pk}/").status_code == 403


def test_a_token_made_with_a_token_does_not_outlive_it(operator: User) -> None:
    end = clock.now() + timedelta(days=1)
    client = api_client(token=make_token(operator, Scope.WRITE, expires_at=end))
    later = client.post(URL, {"name": "later", "expires_at": (end + timedelta(days=1)).isoformat()})
    assert (later.status_code, list(later.json())) == (400, ["expires_at"])
    assert client.post(URL, {"name": "open"}).status_code == 201
    assert ApiToken.objects.get(name="open").expires_at == end


def test_an_end_in_the_past_is_refused(operator: User) -> None:
    answer = api_client(operator).post(URL, {"name": "old", "expires_at": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, list(answer.json())) == (400, ["expires_at"])


def test_removing_revokes_at_once_and_keeps_the_row(operator: User) -> None:
    client = api_client(operator)
    made = client.post(URL, {"name": "short"}).json()
    assert client.delete(f"{URL}{made['id']}/").status_code == 204
    assert api_client(token=made["token"]).get("/api/v1/targets/").status_code == 401
    assert [row["name"] for row in client.get(URL).json()["results"]] != []
    assert made["id"] not in [row["id"] for row in client.get(URL).json()["results"]]
    assert ApiToken.objects.get(pk=made["id"]).revoked_at is not None


def test_revoking_twice_is_recorded_once(operator: User) -> None:
    token, _plain = create_token(actor=operator, user=operator, name="twice")
    revoke_token(actor=operator, token=token)
    revoke_token(actor=operator, token=token)
    assert AuditEntry.objects.filter(object_id=token.pk, action="revoke").count() == 1


def test_others_do_not_see_my_tokens(operator: User) -> None:
    client = api_client(operator)
    assert len(client.get(URL).json()["results"]) == 1
    assert len(api_client(make_user("admin")).get(URL).json()["results"]) == 1
