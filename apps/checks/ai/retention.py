"""How long the past of models is kept: hours and days for two years, money for good (by month once it is that old)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.checks.ai.hours import KEEP
from apps.checks.models import AiDay, AiErrorTotal, AiHour, SpendDay

BATCH = 5_000

_OLD_HOURS = """
    DELETE FROM checks_aihour WHERE (check_id, hour) IN (
        SELECT check_id, hour FROM checks_aihour WHERE hour < %s LIMIT %s
    )
"""
_OLD_DAYS = """
    DELETE FROM checks_aiday WHERE (check_id, day) IN (SELECT check_id, day FROM checks_aiday WHERE day < %s LIMIT %s)
"""
# Every day but the first of a month is added to that first: what was ever spent stays the same sum.
_OLD_SPENDS = """
    WITH gone AS (
        DELETE FROM checks_spendday WHERE (day, target_id) IN (
            SELECT day, target_id FROM checks_spendday WHERE day < %s AND extract(day FROM day) <> 1 LIMIT %s
        ) RETURNING *
    )
    INSERT INTO checks_spendday AS s
        (day, target_id, provider_id, looks, estimated_looks, tokens_in, tokens_out, tokens_cached, tokens_reasoning,
         cost)
    SELECT date_trunc('month', day)::date, target_id, min(provider_id::text)::uuid, sum(looks), sum(estimated_looks),
           sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(tokens_reasoning), sum(cost)
    FROM gone GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (day, target_id) DO UPDATE SET
        looks = s.looks + excluded.looks, estimated_looks = s.estimated_looks + excluded.estimated_looks,
        tokens_in = s.tokens_in + excluded.tokens_in, tokens_out = s.tokens_out + excluded.tokens_out,
        tokens_cached = s.tokens_cached + excluded.tokens_cached,
        tokens_reasoning = s.tokens_reasoning + excluded.tokens_reasoning, cost = s.cost + excluded.cost
"""


@transaction.atomic
def purge(now: datetime) -> None:
    """Remove hours and days past their time and gather old spends, a bounded number of each. Three statements."""
    oldest = now - KEEP
    with connection.cursor() as cursor:
        cursor.execute(_OLD_HOURS, [oldest, BATCH])
        cursor.execute(_OLD_DAYS, [oldest, BATCH])
        cursor.execute(_OLD_SPENDS, [oldest.date(), BATCH])


def forget(target_ids: Collection[UUID]) -> None:
    """Remove all that is kept of targets that are purged. What a model cost stays with its provider, and goes with it:
    the money was spent."""
    identifiers = list(target_ids)
    AiDay.objects.filter(target_id__in=identifiers).delete()
    AiHour.objects.filter(target_id__in=identifiers).delete()
    AiErrorTotal.objects.filter(target_id__in=identifiers).delete()
    SpendDay.objects.filter(provider_id__in=identifiers).delete()
