"""People with grants, and their browsers."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from apps.accounts.access import Role
from apps.accounts.models import RoleGrant, User
from apps.catalog.models import Environment

PASSWORD = "correct horse battery"


def make_user(username: str, **grants: Environment | None) -> User:
    """`make_user("bob", viewer=dev)`; None grants the role everywhere."""
    user = User.objects.create_user(username=username, password=PASSWORD)
    for role, environment in grants.items():
        RoleGrant.objects.create(user=user, role=Role(role), environment=environment.pk if environment else None)
    return user


def sign_in(user: User) -> Client:
    """A signed-in test client; its session cookie opens sockets."""
    client = Client()
    client.force_login(user)
    return client


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
