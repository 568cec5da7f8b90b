"""Notice every change of access, whichever way it was made (service, admin, command), and say so once committed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from apps.accounts.models import ApiToken, RoleGrant, User
from apps.accounts.signals import access_changed

# Signing in saves `last_login` alone, which must not cost a query here.
_FIELDS = ("password", "is_active", "is_staff", "is_superuser")


@receiver(pre_save, sender=User)
def compare_access(instance: User, update_fields: Any = None, raw: bool = False, **_: Any) -> None:
    fields = _FIELDS if update_fields is None else [field for field in _FIELDS if field in update_fields]
    if raw or not fields or instance._state.adding:
        return
    stored = User.objects.filter(pk=instance.pk).values(*fields).first()
    if stored is not None and any(stored[field] != getattr(instance, field) for field in fields):
        tell_access_changed(instance)


@receiver(pre_delete, sender=User)
def forget_user(instance: User, **_: Any) -> None:
    tell_access_changed(instance)


@receiver([post_save, post_delete], sender=RoleGrant)
def follow_grant(instance: RoleGrant, raw: bool = False, **_: Any) -> None:
    if not raw:
        tell_access_changed(instance.user)


@receiver([post_save, post_delete], sender=ApiToken)
def follow_token(instance: ApiToken, created: bool = False, raw: bool = False, **_: Any) -> None:
    """A revoked or shortened token ends the streams it opened; a new one opened none yet."""
    if not raw and not created:
        tell_access_changed(instance.user)


def tell_access_changed(user: User) -> None:
    """Send `access_changed` when the present transaction commits."""
    # A deleted instance loses its key before the transaction commits.
    told = User(pk=user.pk, username=user.username)
    transaction.on_commit(lambda: _send(told), robust=True)


def _send(user: User) -> None:
    access_changed.send_robust(sender=User, user=user)
