"""Days of models, added up from their hours once no result of them is still to come."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection, transaction

from apps.checks.ai.windows import DAY, HOUR

# A day is made when its hours are: so long after it was over.
_SETTLED = 2 * HOUR

# All measures of one check and day are added up by bucket in one pass, and taken apart again at the end.
_MAKE = """
    WITH hours AS MATERIALIZED (
        SELECT h.*, date_trunc('day', h.hour, 'UTC') AS day FROM checks_aihour h
        WHERE h.hour >= %(start)s AND h.hour < %(end)s
    ),
    sums AS (
        SELECT check_id, day, min(target_id::text)::uuid AS target_id, min(kind) AS kind, sum(looks) AS looks,
               sum(failed) AS failed, sum(rate_limited) AS rate_limited
        FROM hours GROUP BY check_id, day
    ),
    counts AS (
        SELECT check_id, day, measure, jsonb_object_agg(bucket, looks) AS counts FROM (
            SELECT check_id, day, measure, bucket, sum(number::bigint) AS looks
            FROM hours CROSS JOIN LATERAL (VALUES
                ('errors', errors), ('durations', durations), ('first_tokens', first_tokens),
                ('first_answers', first_answers), ('speeds', speeds)
            ) AS m(measure, histogram) CROSS JOIN LATERAL jsonb_each_text(histogram) AS b(bucket, number)
            GROUP BY check_id, day, measure, bucket
        ) AS by_bucket GROUP BY check_id, day, measure
    ),
    measured AS (
        SELECT check_id, day, jsonb_object_agg(measure, counts) AS measured FROM counts GROUP BY check_id, day
    )
    INSERT INTO checks_aiday AS d (check_id, day, target_id, kind, looks, failed, rate_limited, errors, durations,
                                   first_tokens, first_answers, speeds)
    SELECT check_id, day, target_id, kind, looks, failed, rate_limited,
           coalesce(measured -> 'errors', '{}'), coalesce(measured -> 'durations', '{}'),
           coalesce(measured -> 'first_tokens', '{}'), coalesce(measured -> 'first_answers', '{}'),
           coalesce(measured -> 'speeds', '{}')
    FROM sums LEFT JOIN measured USING (check_id, day) ORDER BY check_id, day
    ON CONFLICT (check_id, day) DO UPDATE SET
        target_id = excluded.target_id, kind = excluded.kind, looks = excluded.looks, failed = excluded.failed,
        rate_limited = excluded.rate_limited, errors = excluded.errors, durations = excluded.durations,
        first_tokens = excluded.first_tokens, first_answers = excluded.first_answers, speeds = excluded.speeds
    WHERE d.looks <> excluded.looks
"""
_NEWEST = "SELECT max(day) FROM checks_aiday"
_NEXT_HOUR = "SELECT min(hour) FROM checks_aihour WHERE hour >= coalesce(%s, '-infinity'::timestamptz)"


@transaction.atomic
def make_days(start: datetime, end: datetime) -> int:
    """Make the days (UTC) from `start` until `end`, both at midnight; returns how many rows changed. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, {"start": start, "end": end})
        changed: int = cursor.rowcount
        return changed


def catch_up(now: datetime) -> int:
    """Make every day that is over, has hours and is not made yet, a statement each. Two queries when there is none."""
    newest = _moment(_NEWEST, [])
    changed = 0
    while (hour := _moment(_NEXT_HOUR, [newest + DAY if newest is not None else None])) is not None:
        newest = hour.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if newest + DAY + _SETTLED > now:
            break
        changed += make_days(newest, newest + DAY)
    return changed


def _moment(statement: str, parameters: list[datetime | None]) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        moment: datetime | None = cursor.fetchone()[0]
        return moment
