"""What checks do when the catalog changes: in the same transaction, so a removed target is never looked at again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models.signals import post_save
from django.dispatch import receiver

from apps.accounts.models import User
from apps.catalog.models import Provider, Region
from apps.catalog.signals import provider_changed, target_deleted, target_switched
from apps.checks import freeing, services
from apps.checks.ai import hours
from apps.checks.signals import housekeeping


@receiver(target_deleted)
def stop_looking(target_ids: list[UUID], actor: User | None = None, **_: Any) -> None:
    services.follow_target_switch(target_ids=target_ids, removed=True, actor=actor)


@receiver(target_switched)
def follow_switch(target_ids: list[UUID], actor: User | None = None, **_: Any) -> None:
    services.follow_target_switch(target_ids=target_ids, removed=False, actor=actor)


@receiver(post_save, sender=Region)
def follow_region(instance: Region, **_: Any) -> None:
    services.follow_region(region=instance)


@receiver(provider_changed)
def follow_key(provider: Provider, fields: frozenset[str], **_: Any) -> None:
    """Who changed the key is not kept waiting for the word on it."""
    if fields & freeing.KEYS:
        freeing.free_providers([provider.pk])


@receiver(housekeeping)
def keep_hours(**_: Any) -> None:
    hours.keep_up()
