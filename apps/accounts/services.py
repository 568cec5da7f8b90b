"""Writing people, grants, tokens and the audit log. Keyword arguments, one transaction each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts.access import Role, Scope
from apps.accounts.models import ApiToken, AuditEntry, RoleGrant, User
from apps.core import clock
from apps.core.secrets import digest, new_token

TOKEN_PREFIX = "mp"  # noqa: S105 - what a token begins with, not a token
_SHOWN_CHARACTERS = 10
_ENCODER = DjangoJSONEncoder()


def record_audit(
    *, actor: User | None, action: str, subject: models.Model, changes: Mapping[str, Any] | None = None, name: str = ""
) -> None:
    """Write down who did `action` to `subject`. `changes` maps a field to [before, after], secrets masked already.

    What was done to many at once is one entry: `subject` without an id says of what kind they are, `name` which.
    """
    identifier = subject.pk if isinstance(subject.pk, UUID) else None
    AuditEntry.objects.create(
        actor=actor if actor is not None and actor.is_authenticated else None,
        action=action,
        object_type=subject._meta.model_name or "",
        object_id=identifier,
        object_name=(name or str(subject))[:200],
        changes=_plain(changes or {}),
    )


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values only: ids, moments and whatever else a caller passed become text."""
    return {str(name): _plain_value(value) for name, value in changes.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple | set):
        return [_plain_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    try:
        return _ENCODER.default(value)
    except TypeError:
        return str(value)


@transaction.atomic
def create_user(*, actor: User | None, username: str, password: str, email: str = "", is_staff: bool = False) -> User:
    """Make a person without any grant. Raises ValidationError by field."""
    user = User(username=username, email=email, is_staff=is_staff)
    _check_password(password, user)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    user.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=user)
    return user


@transaction.atomic
def grant_role(*, actor: User | None, user: User, role: Role, environment: UUID | None = None) -> RoleGrant:
    """Give `role` in one environment, or in all (None); an earlier role there is replaced."""
    grant, _created = RoleGrant.objects.update_or_create(user=user, environment=environment, defaults={"role": role})
    _forget_access(user)
    where = "*" if environment is None else environment
    record_audit(
        actor=actor, action="grant", subject=user, changes={"role": [None, role], "environment": [None, where]}
    )
    return grant


@transaction.atomic
def withdraw_role(*, actor: User | None, user: User, environment: UUID | None = None) -> None:
    """Take back the role in one environment, or the one for all."""
    for grant in RoleGrant.objects.filter(user=user, environment=environment):
        grant.delete()
    _forget_access(user)
    record_audit(actor=actor, action="withdraw", subject=user, changes={"environment": [environment, None]})


def _forget_access(user: User) -> None:
    user.__dict__.pop("_portal_access", None)


@transaction.atomic
def set_password(*, actor: User | None, user: User, password: str) -> None:
    """A new password; every session and JWT made with the old one ends. Raises ValidationError on `password`."""
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    record_audit(actor=actor, action="password", subject=user)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


@transaction.atomic
def save_preferences(*, user: User, **preferences: str) -> None:
    """Remember `language`, `theme` or `time_zone` for a person. The caller has checked the values."""
    for name, value in preferences.items():
        setattr(user, name, value)
    user.save(update_fields=list(preferences))


@transaction.atomic
def create_token(
    *,
    actor: User | None,
    user: User,
    name: str,
    scope: Scope = Scope.READ,
    expires_at: datetime | None = None,
    made_with: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which is shown this once and never again.

    A token made with another one (`made_with`) is at most as strong and lives at most as long. Raises ValidationError
    by field.
    """
    errors = _token_errors(name, scope, expires_at, made_with)
    if errors:
        raise ValidationError(errors)
    if made_with is not None and expires_at is None:
        expires_at = made_with.expires_at
    plain = new_token(TOKEN_PREFIX)
    token = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        prefix=plain[:_SHOWN_CHARACTERS],
        digest=digest(plain),
        scope=scope,
        expires_at=expires_at,
    )
    record_audit(actor=actor, action="create", subject=token, changes={"scope": [None, scope]})
    return token, plain


def _token_errors(
    name: str, scope: Scope, expires_at: datetime | None, made_with: ApiToken | None
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 100 or not name.isprintable():
        errors["name"] = [_("Give the token a name of at most 100 printable characters.")]
    if expires_at is not None and expires_at <= clock.now():
        errors["expires_at"] = [_("This moment has passed; choose a later one, or leave it out.")]
    if made_with is not None:
        if made_with.scope == Scope.READ and scope != Scope.READ:
            errors["scope"] = [_("A token that may only read cannot make one that may write.")]
        if made_with.expires_at is not None and expires_at is not None and expires_at > made_with.expires_at:
            errors["expires_at"] = [_("A token cannot make one that outlives it.")]
    return errors


@transaction.atomic
def revoke_token(*, actor: User | None, token: ApiToken) -> None:
    """End a token at once; its row stays for the record."""
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        record_audit(actor=actor, action="revoke", subject=token)
