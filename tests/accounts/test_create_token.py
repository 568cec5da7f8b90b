"""`manage.py create_token`: the token on standard output and nothing else."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import ApiToken, User
from tests.factories import api_client

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("create_token", *arguments, stdout=output)
    return output.getvalue()


def test_it_prints_a_token_that_works(operator: User) -> None:
    printed = run(operator.username, "--scope", "write", "--name", "ci", "--expires-days", "1")
    assert printed.count("\n") == 1
    answer = api_client(token=printed.strip()).post("/api/v1/services/", {"name": "Shop"})
    assert answer.status_code == 201
    token = ApiToken.objects.get()
    assert (token.name, token.scope) == ("ci", "write")
    assert token.expires_at is not None


def test_it_reads_only_unless_told(operator: User) -> None:
    printed = run(operator.username)
    client = api_client(token=printed.strip())
    assert client.get("/api/v1/targets/").status_code == 200
    assert client.post("/api/v1/services/", {"name": "Shop"}).status_code == 403


@pytest.mark.parametrize("arguments", [["nobody"], ["USER", "--expires-days", "-1"], ["USER", "--name", " "]])
def test_what_cannot_be_made_is_a_sentence_and_no_token(operator: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"\.$"):
        run(*[operator.username if word == "USER" else word for word in arguments])
    assert not ApiToken.objects.exists()


def test_an_inactive_account_gets_none(operator: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="not active"):
        run(operator.username)
