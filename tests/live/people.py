"""What a person's browser brings along."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from apps.accounts.models import User


def sign_in(user: User) -> Client:
    """A signed-in test client; its session cookie opens sockets."""
    client = Client()
    client.force_login(user)
    return client


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
