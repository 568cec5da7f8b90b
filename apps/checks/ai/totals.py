"""All models at once, for whoever collects figures of them: what was measured last, and what they ever used and failed.

What was ever counted never goes back while its target is there: days of money are gathered and not removed, and
errors are counted apart from the hours that are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from apps.checks.ai import rungs


@dataclass
class ModelTotals:
    """One model, or a provider itself (`model` is ""). Time in ms, money in US dollars, tokens by sort ("in", "out",
    "cached", "reasoning"), looks that failed by class and fault."""

    environment: str
    provider: str
    model: str
    ttft_ms: float | None = None
    output_tokens_per_second: float | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    cost: Decimal | None = None
    errors: dict[tuple[str, str], int] = field(default_factory=dict)


_TARGETS = """
    SELECT t.id, e.slug, coalesce(p.name, t.name), CASE WHEN t.kind = 'model' THEN t.name ELSE '' END
    FROM catalog_target t JOIN catalog_environment e ON e.id = t.environment_id
    LEFT JOIN catalog_target p ON p.id = t.namespace
    WHERE t.kind IN ('model', 'provider') AND t.deleted_at IS NULL ORDER BY 2, 3, 4
"""
_MEASURED = """
    SELECT DISTINCT ON (s.target_id) s.target_id, s.ttft_ms, s.output_tokens_per_second
    FROM checks_aicheckstate s JOIN checks_check c ON c.id = s.check_id
    WHERE s.ttft_ms IS NOT NULL AND c.enabled AND c.deleted_at IS NULL AND c.kind <> ALL(%s)
    ORDER BY s.target_id, s.measured_at DESC
"""
_SPENT = """
    SELECT target_id, sum(tokens_in)::bigint, sum(tokens_out)::bigint, sum(tokens_cached)::bigint,
           sum(tokens_reasoning)::bigint, sum(cost)
    FROM checks_spendday GROUP BY target_id
"""
_ERRORS = "SELECT target_id, error_class, fault, looks FROM checks_aierrortotal ORDER BY error_class, fault"
_TOKENS = ("in", "out", "cached", "reasoning")


def list_totals() -> list[ModelTotals]:
    """Of every model and provider there is, by environment and name. Four queries."""
    totals: dict[UUID, ModelTotals] = {row[0]: ModelTotals(*row[1:]) for row in _rows(_TARGETS)}
    for target_id, ttft_ms, speed in _rows(_MEASURED, [rungs.canary_kinds()]):
        if target_id in totals:
            totals[target_id].ttft_ms, totals[target_id].output_tokens_per_second = ttft_ms, speed
    for target_id, *tokens, cost in _rows(_SPENT):
        if target_id in totals:
            totals[target_id].tokens = dict(zip(_TOKENS, tokens, strict=True))
            totals[target_id].cost = cost
    for target_id, error, fault, looks in _rows(_ERRORS):
        if target_id in totals:
            totals[target_id].errors[error, fault] = looks
    return list(totals.values())


def _rows(statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or [])
        return list(cursor.fetchall())
