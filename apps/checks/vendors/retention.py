"""Old rows of vendors' pages: by age, and by number, for a page may tell of as many incidents as it likes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from apps.checks.models import VendorChange, VendorIncident

# As long as state changes are worth comparing with: a year, and some days for whoever looks at the same month.
KEEP = timedelta(days=400)
MOST_INCIDENTS = 500
MOST_CHANGES = 5_000
BATCH = 1_000

_SURPLUS = """
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY provider_id ORDER BY {newest} DESC) AS place FROM {table}
        ) AS ordered WHERE place > %s LIMIT %s
    )
"""
_INCIDENTS = _SURPLUS.format(table="checks_vendorincident", newest="coalesce(updated_at, seen_at)")
_CHANGES = _SURPLUS.format(table="checks_vendorchange", newest="at")


def purge(now: datetime) -> None:
    """A bounded number of rows each time, so that no minute does a day's work. Four statements."""
    old = VendorIncident.objects.filter(resolved_at__lt=now - KEEP)
    VendorIncident.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
    changes = VendorChange.objects.filter(at__lt=now - KEEP)
    VendorChange.objects.filter(pk__in=changes.values("pk")[:BATCH]).delete()
    with connection.cursor() as cursor:
        cursor.execute(_INCIDENTS, [MOST_INCIDENTS, BATCH])
        cursor.execute(_CHANGES, [MOST_CHANGES, BATCH])
