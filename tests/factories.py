"""Small builders for what a story needs, made through the services like everything else."""

from __future__ import annotations

from itertools import count
from typing import Any

from rest_framework.test import APIClient

from apps.accounts.access import Role, Scope
from apps.accounts.models import User
from apps.accounts.services import create_token, grant_role
from apps.catalog.models import AIModel, Environment, Provider, Service, Target
from apps.catalog.services import create_model, create_provider, create_service

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(
    role: Role | str | None = None, environment: Environment | None = None, *, username: str = "", **fields: Any
) -> User:
    """A person with `role` in `environment` (None: everywhere), or without any role."""
    user: User = User.objects.create_user(username=username or f"user-{next(_numbers)}", password=PASSWORD, **fields)
    if role is not None:
        grant_role(actor=None, user=user, role=Role(role), environment=environment.pk if environment else None)
    return user


def make_environment(slug: str) -> Environment:
    return Environment.objects.get_or_create(slug=slug, defaults={"name": slug.capitalize()})[0]


def make_provider(name: str = "", **fields: Any) -> Provider:
    return create_provider(actor=None, name=name or f"Provider {next(_numbers)}", **fields)


def make_model(provider: Provider | None = None, name: str = "", **fields: Any) -> AIModel:
    return create_model(
        actor=None, provider=provider or make_provider(), name=name or f"model-{next(_numbers)}", **fields
    )


def make_service(name: str = "", **fields: Any) -> Service:
    return create_service(actor=None, name=name or f"Service {next(_numbers)}", **fields)


def make_check(target: Target | None = None, **fields: Any) -> Any:
    """An http check of `target` (or of a new service); nothing was looked at yet."""
    from apps.checks.services import create_check  # noqa: PLC0415 - loads every probe kind; few stories need it

    values: dict[str, Any] = {
        "kind": "http",
        "name": f"HTTP {next(_numbers)}",
        "config": {"url": "http://127.0.0.1:9/"},
        "interval_seconds": 60,
        "timeout_seconds": 5,
        **fields,
    }
    return create_check(actor=None, target=target or make_service().target, **values)


def make_token(user: User, scope: Scope = Scope.WRITE, **fields: Any) -> str:
    """The secret of a new API token of `user`."""
    return create_token(actor=None, user=user, name=f"token {next(_numbers)}", scope=scope, **fields)[1]


def api_client(user: User | None = None, *, token: str = "") -> APIClient:
    """A REST client: with `token`, else with a new write token of `user`, else anonymous. A 500 is an answer."""
    client = APIClient(raise_request_exception=False)
    secret = token or (make_token(user) if user is not None else "")
    if secret:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client
