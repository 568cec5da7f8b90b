"""Writing environments: the name spaces targets live in and grants are given for."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import RoleGrant, User
from apps.accounts.services import record_audit
from apps.catalog.models import Environment
from apps.core import cache

_FIELDS = ("slug", "name", "position")


@transaction.atomic
def create_environment(*, actor: User | None, slug: str, name: str, position: int | None = None) -> Environment:
    """Make an environment, by default the last in order. Raises ValidationError by field."""
    if position is None:
        last = Environment.objects.order_by("-position").values_list("position", flat=True).first()
        position = 0 if last is None else min(last + 1, 32_767)
    environment = Environment(slug=slug, name=name.strip(), position=position)
    environment.full_clean()
    environment.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=environment)
    cache.bump("targets")
    return environment


@transaction.atomic
def update_environment(*, actor: User | None, environment: Environment, **fields: Any) -> Environment:
    """Change slug, name or position. Raises ValidationError by field."""
    before = {name: getattr(environment, name) for name in _FIELDS}
    for name in _FIELDS:
        setattr(environment, name, fields.get(name, before[name]))
    environment.full_clean()
    environment.save(update_fields=_FIELDS)
    changes = {name: [before[name], getattr(environment, name)] for name in _FIELDS}
    changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if changed:
        record_audit(actor=actor, action="update", subject=environment, changes=changed)
        cache.bump("targets")
    return environment


@transaction.atomic
def delete_environment(*, actor: User | None, environment: Environment) -> None:
    """Remove an empty environment and the grants given for it. Raises ValidationError while it holds targets."""
    if environment.targets.exists():
        raise ValidationError(
            _("The environment still holds targets (removed ones are kept for a week); remove them first.")
        )
    record_audit(actor=actor, action="delete", subject=environment)
    for grant in RoleGrant.objects.filter(environment=environment.pk).select_related("user"):
        grant.delete()
    environment.delete()
    cache.bump("targets")
