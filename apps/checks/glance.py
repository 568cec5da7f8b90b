"""What a row of a list shows of many targets at once: their typical response time, and what the deciding check saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.checks.history import REFUSALS, untimed_kinds
from apps.core import clock

HOUR = timedelta(hours=1)

_MEDIANS = """
    SELECT c.target_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.duration_ms)
    FROM checks_checkresult r JOIN checks_check c ON c.id = r.check_id
    WHERE r.at >= %s AND r.state IN ('ok', 'degraded') AND c.deleted_at IS NULL AND c.target_id = ANY(%s)
      AND c.kind <> ALL(%s) AND r.reason <> ALL(%s)
    GROUP BY c.target_id
"""


def get_medians(target_ids: Iterable[UUID], window: timedelta = HOUR) -> dict[UUID, float]:
    """Median response time (ms) of many targets over the last `window`; those without an answer are left out.

    One query.
    """
    identifiers = list(target_ids)
    if not identifiers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_MEDIANS, [clock.now() - window, identifiers, untimed_kinds(), REFUSALS])
        return {row[0]: float(row[1]) for row in cursor.fetchall()}


@dataclass(frozen=True)
class Seen:
    """What a check saw when it was last not well, and the result that says so."""

    result_id: UUID
    at: datetime
    evidence: dict[str, Any]


_EVIDENCE = """
    SELECT e.check_id, e.id, e.at, e.evidence FROM unnest(%s::uuid[]) AS c(id)
    CROSS JOIN LATERAL (
        SELECT check_id, id, at, evidence FROM checks_checkevidence
        WHERE check_id = c.id AND at > now() - interval '31 days' ORDER BY at DESC LIMIT 1
    ) e
"""


def get_last_seen(check_ids: Iterable[UUID | None]) -> dict[UUID, Seen]:
    """The latest evidence of each check; those that kept none are left out. One query over an index."""
    identifiers = sorted({identifier for identifier in check_ids if identifier is not None})
    if not identifiers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_EVIDENCE, [identifiers])
        return {row[0]: Seen(row[1], row[2], _plain(row[3])) for row in cursor.fetchall()}


def _plain(value: Any) -> dict[str, Any]:
    """A raw cursor gives jsonb as text, because Django decodes it in its fields."""
    decoded = json.loads(value) if isinstance(value, str) else value
    return decoded if isinstance(decoded, dict) else {}
