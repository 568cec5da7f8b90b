"""Hours of models, made from their results: percentiles and errors survive when the results are gone.

An hour is made anew from all its results each time, so making it twice changes nothing, and one that missed some gets
them the next time. Only hours into which results may still come are made again; after a start, all since the newest.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from apps.checks.ai import days
from apps.checks.ai.parts import COUNTED, parameters
from apps.checks.ai.windows import HOUR, RESULTS_LAST, floor_hour
from apps.core import clock

# How long hours are kept: `checks.retention` removes older ones.
KEEP = timedelta(days=731)
EVERY_SECONDS = 120
# A result comes minutes after its look at most (`intake.OLDEST_SECONDS`, a timeout, a lease).
_LATE = timedelta(minutes=15)
# After a long stop: as many hours a statement, so that none of them is a long one.
_HOURS_AT_ONCE = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Constant text, put together from constant text.
_MAKE = f"""{COUNTED}
    INSERT INTO checks_aihour AS h (check_id, hour, target_id, kind, looks, ok, degraded, failed, rate_limited, errors,
                                    durations, first_tokens, first_answers, speeds)
    SELECT check_id, to_timestamp(part * 3600), target_id, kind, looks, ok, degraded, failed, rate_limited, errors,
           coalesce(histograms -> 'durations', '{{}}'), coalesce(histograms -> 'first_tokens', '{{}}'),
           coalesce(histograms -> 'first_answers', '{{}}'), coalesce(histograms -> 'speeds', '{{}}')
    FROM counted ORDER BY check_id, part
    ON CONFLICT (check_id, hour) DO UPDATE SET
        target_id = excluded.target_id, kind = excluded.kind, looks = excluded.looks, ok = excluded.ok,
        degraded = excluded.degraded, failed = excluded.failed, rate_limited = excluded.rate_limited,
        errors = excluded.errors, durations = excluded.durations, first_tokens = excluded.first_tokens,
        first_answers = excluded.first_answers, speeds = excluded.speeds
    WHERE h.looks <> excluded.looks
"""  # noqa: S608
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('checks_aihour'))"


@transaction.atomic
def make_hours(start: datetime, end: datetime) -> int | None:
    """Make every hour from that of `start` until `end`; returns how many rows changed. One statement, besides a lock:
    whoever finds another making hours leaves them to it (None)."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(_MAKE, parameters(floor_hour(start), end, HOUR, _EPOCH, None))
        changed: int = cursor.rowcount
        return changed


_kept_up_at = float("-inf")
_made_until: datetime | None = None


def keep_up() -> None:
    """Every few minutes: the hours into which results came since this process last made any; at first, all missing."""
    global _kept_up_at, _made_until  # noqa: PLW0603 - one rhythm a process
    if time.monotonic() - _kept_up_at < EVERY_SECONDS:
        return
    _kept_up_at = time.monotonic()
    now = clock.now()
    made = catch_up(now) if _made_until is None else _make(_made_until - _LATE, now)
    if made is not None:
        days.catch_up(now)
        _made_until = now


def catch_up(now: datetime) -> int | None:
    """Make all hours since the newest one there is, as far as there are results. Returns how many rows changed, None
    when another process is at it."""
    newest = _newest()
    return _make(newest - HOUR if newest is not None else now - RESULTS_LAST, now)


def _make(start: datetime, now: datetime) -> int | None:
    changed = 0
    start = floor_hour(max(start, now - RESULTS_LAST))
    while start <= now:
        end = min(start + _HOURS_AT_ONCE * HOUR, now + HOUR)
        made = make_hours(start, end)
        if made is None:
            return None
        changed += made
        start = end
    return changed


def _newest() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(hour) FROM checks_aihour")
        newest: datetime | None = cursor.fetchone()[0]
        return newest
