"""Where rules stand, as rows: read whole, written only where something changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.alerts.rules import Standing
from apps.core import statements

Pair = tuple[UUID, "UUID | None"]

_READ = "SELECT rule_id, target_id, id, level, since, value, worst_since, severity FROM alerts_rulestate"

_WRITE = """
    INSERT INTO alerts_rulestate (rule_id, target_id, level, since, worst_since, firing, severity, value, evaluated_at)
    SELECT v.*, %s FROM unnest(
        %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::boolean[], %s::text[],
        %s::float8[]
    ) AS v
    ON CONFLICT (rule_id, target_id) DO UPDATE SET
        level = excluded.level, since = excluded.since, worst_since = excluded.worst_since, firing = excluded.firing,
        severity = excluded.severity, value = excluded.value, evaluated_at = excluded.evaluated_at
"""


def load_states() -> tuple[dict[Pair, Standing], dict[Pair, int]]:
    """Every standing by (rule, target), and the ids of their rows. One query."""
    standings: dict[Pair, Standing] = {}
    ids: dict[Pair, int] = {}
    for rule, target, identifier, level, since, value, worst_since, severity in statements.run(_READ):
        standings[rule, target] = Standing(level, since, value, worst_since, severity)
        ids[rule, target] = identifier
    return standings, ids


def write_states(changed: Mapping[Pair, Standing], ended: Collection[int], at: datetime) -> None:
    """Two statements at most."""
    with connection.cursor() as cursor:
        if ended:
            cursor.execute("DELETE FROM alerts_rulestate WHERE id = ANY(%s)", [list(ended)])
        if changed:
            standings = list(changed.values())
            columns: list[list[Any]] = [
                [rule for rule, _target in changed],
                [target for _rule, target in changed],
                [standing.level for standing in standings],
                [standing.since for standing in standings],
                [standing.worst_since for standing in standings],
                [standing.firing for standing in standings],
                [standing.severity for standing in standings],
                [standing.value for standing in standings],
            ]
            cursor.execute(_WRITE, [at, *columns])
