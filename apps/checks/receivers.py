"""What checks do when the catalog changes: in the same transaction, so a removed target is never looked at again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from apps.accounts.models import User
from apps.catalog.signals import target_deleted, target_switched
from apps.checks import services


@receiver(target_deleted)
def stop_looking(target_ids: list[UUID], actor: User | None = None, **_: Any) -> None:
    services.follow_target_switch(target_ids=target_ids, removed=True, actor=actor)


@receiver(target_switched)
def follow_switch(target_ids: list[UUID], actor: User | None = None, **_: Any) -> None:
    services.follow_target_switch(target_ids=target_ids, removed=False, actor=actor)
