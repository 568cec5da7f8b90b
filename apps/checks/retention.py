"""Purging what was deleted: a soft-deleted row is out of every list at once, and out of the tables after a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Manager

from apps.catalog.models import Target
from apps.checks.models import Check, CheckRun
from apps.core import clock

KEEP_DELETED = timedelta(days=7)
KEEP_RUNS = timedelta(days=30)
BATCH = 500


def purge() -> None:
    """Remove rows past their time, a bounded number each time so that no minute does a day's work."""
    now = clock.now()
    for rows in (
        Check.objects.filter(deleted_at__lt=now - KEEP_DELETED),
        Target.objects.filter(deleted_at__lt=now - KEEP_DELETED),
        CheckRun.objects.filter(requested_at__lt=now - KEEP_RUNS),
    ):
        manager: Manager[Any] = rows.model._default_manager
        manager.filter(pk__in=rows.values("pk")[:BATCH]).delete()
