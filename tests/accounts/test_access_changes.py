"""Whoever lies above hears, after commit, that somebody's access changed, whichever way it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.accounts.services import grant_role, set_password, withdraw_role
from apps.accounts.signals import access_changed
from tests.factories import make_environment, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person() -> User:
    return make_user("viewer")


@pytest.fixture
def told(person: User) -> Iterator[list[str]]:
    """The names `access_changed` was sent for."""
    names: list[str] = []

    def listen(user: User, **_: object) -> None:
        names.append(user.username)

    access_changed.connect(listen)
    yield names
    access_changed.disconnect(listen)


def test_a_new_password(person: User, told: list[str]) -> None:
    set_password(actor=None, user=person, password="another long secret")
    assert told == [person.username]


def test_a_role_given_and_taken(person: User, told: list[str]) -> None:
    development = make_environment("dev")
    grant_role(actor=None, user=person, role=Role.OPERATOR, environment=development.pk)
    assert access_of(person).allows(Role.OPERATOR, development.pk)
    withdraw_role(actor=None, user=person, environment=development.pk)
    assert not access_of(person).allows(Role.OPERATOR, development.pk)
    assert told == [person.username] * 2


@pytest.mark.parametrize("field", ["is_active", "is_staff", "is_superuser"])
def test_a_switch_of_the_account(person: User, told: list[str], field: str) -> None:
    setattr(person, field, not getattr(person, field))
    person.save()
    assert told == [person.username]


def test_removal(person: User, told: list[str]) -> None:
    name = person.username
    person.delete()
    assert set(told) == {name}


def test_what_changes_nothing_about_access_is_silent(person: User, told: list[str]) -> None:
    person.language = "ko"
    person.save()
    person.save(update_fields=["last_login"])
    assert told == []
