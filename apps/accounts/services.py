"""Writing people and access: users, grants, tokens, and the record of who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts.access import Role, Scope
from apps.accounts.models import ApiToken, AuditEntry, RoleGrant, User
from apps.accounts.signals import access_changed
from apps.core import clock
from apps.core.secrets import digest, new_token

TOKEN_PREFIX = "mp"  # noqa: S105 - how a token begins, so that scanners and people recognise one
_SHOWN = 10


def record_audit(
    *, actor: User | None, action: str, subject: models.Model, changes: dict[str, Any] | None = None
) -> AuditEntry:
    """Note that `actor` (None: the portal itself) did `action`. `changes` maps fields to [before, after], masked."""
    return AuditEntry.objects.create(
        actor=actor if actor is not None and actor.pk else None,
        action=action,
        object_type=subject._meta.model_name or "",
        object_id=subject.pk if isinstance(subject.pk, UUID) else None,
        object_name=str(subject)[:200],
        changes=changes or {},
    )


@transaction.atomic
def create_user(*, actor: User | None, username: str, password: str, email: str = "") -> User:
    """Make a person without any grant. Raises ValidationError by field."""
    user = User(username=username, email=email)
    user.clean_fields(exclude={"password"})
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": [_("This name is taken.")]})
    _check_password(password, user)
    user.set_password(password)
    user.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=user)
    return user


@transaction.atomic
def grant_role(*, actor: User | None, user: User, role: Role, environment: UUID | None = None) -> RoleGrant:
    """Give `user` a role in one environment, or (None) in all of them; replaces the role held there."""
    grant, _created = RoleGrant.objects.update_or_create(
        user=user, environment=environment, defaults={"role": role.value}
    )
    record_audit(
        actor=actor,
        action="grant",
        subject=user,
        changes={"role": role.value, "environment": str(environment) if environment else None},
    )
    _access_changed(user)
    return grant


@transaction.atomic
def revoke_role(*, actor: User | None, grant: RoleGrant) -> None:
    """Take a role back."""
    user = grant.user
    grant.delete()
    record_audit(actor=actor, action="revoke", subject=user, changes={"role": grant.role})
    _access_changed(user)


@transaction.atomic
def set_password(*, actor: User | None, user: User, password: str) -> None:
    """Change a password: sessions, JWTs and open sockets end with it. Raises ValidationError on `password`."""
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    record_audit(actor=actor, action="set_password", subject=user)
    _access_changed(user)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


@transaction.atomic
def create_token(
    *, actor: User | None, user: User, name: str, scope: Scope = Scope.READ, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new bearer secret for `user`: the row and the secret, which is never shown again."""
    if expires_at is not None and expires_at <= clock.now():
        raise ValidationError({"expires_at": [_("This moment has passed; choose one in the future.")]})
    plain = new_token(TOKEN_PREFIX)
    token = ApiToken(
        user=user, name=name, prefix=plain[:_SHOWN], digest=digest(plain), scope=scope, expires_at=expires_at
    )
    token.clean_fields()
    token.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=token, changes={"scope": scope.value})
    return token, plain


@transaction.atomic
def revoke_token(*, actor: User | None, token: ApiToken) -> None:
    """End a token at once."""
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    record_audit(actor=actor, action="revoke", subject=token)
    _access_changed(token.user)


def _access_changed(user: User) -> None:
    transaction.on_commit(lambda: access_changed.send_robust(sender=User, user=user))
