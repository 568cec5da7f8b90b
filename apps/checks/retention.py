"""Purging what was deleted: a soft-deleted row is out of every list at once, and out of the tables after a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Manager, QuerySet

from apps.catalog.models import Target
from apps.checks.ai import retention as ai
from apps.checks.models import Check, CheckRun
from apps.core import clock

KEEP_DELETED = timedelta(days=7)
KEEP_RUNS = timedelta(days=30)
BATCH = 500


def purge() -> None:
    """Remove rows past their time, a bounded number each time so that no minute does a day's work."""
    now = clock.now()
    ai.purge(now)
    _delete(Check.objects.filter(deleted_at__lt=now - KEEP_DELETED))
    _purge_targets(Target.objects.filter(deleted_at__lt=now - KEEP_DELETED))
    _delete(CheckRun.objects.filter(requested_at__lt=now - KEEP_RUNS))


def _delete(rows: QuerySet[Any]) -> None:
    manager: Manager[Any] = rows.model._default_manager
    manager.filter(pk__in=rows.values("pk")[:BATCH]).delete()


@transaction.atomic
def _purge_targets(targets: QuerySet[Target]) -> None:
    """With what is kept of them in tables that have no key to them."""
    identifiers = list(targets.values_list("pk", flat=True)[:BATCH])
    if identifiers:
        ai.forget(identifiers)
        Target.objects.filter(pk__in=identifiers).delete()
