"""The one place that asks for the time, so that a test can say what time it is.

Claims, leases and staleness use the database's clock in SQL; this clock is for everything Python decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection

_frozen_at: datetime | None = None


def now() -> datetime:
    """The current moment, timezone-aware, in UTC."""
    return _frozen_at or datetime.now(UTC)


def database_now() -> datetime:
    """The present transaction's moment by the database's clock, the only one leases and schedules know. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def database_moment() -> datetime:
    """The moment of asking by the database's clock: what happens after a lock was waited for is dated after it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Hold the clock at `moment` (timezone-aware) inside a `with` block. For tests."""
    global _frozen_at  # noqa: PLW0603 - one clock a process is the point
    previous, _frozen_at = _frozen_at, moment
    try:
        yield
    finally:
        _frozen_at = previous
