"""Models in the order of what was measured of them: by the same figures that are shown beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from django.db.models import FloatField, Func, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from apps.catalog.models import Target
from apps.checks.ai.selectors import ModelFacts, model_facts

# Figures are never negative and never this large: what has none stands last, whichever way.
_LAST, _LAST_DESCENDING = 1e300, -1.0

MEASURES: dict[str, Callable[[ModelFacts], float | None]] = {
    "ttft_ms": lambda facts: facts.ttft_ms,
    "output_tokens_per_second": lambda facts: facts.output_tokens_per_second,
    "spend_month": lambda facts: float(facts.spend_month),
    "uptime_24h": lambda facts: facts.uptime_24h,
}


def figures_of(model_ids: Collection[UUID], measure: str) -> dict[UUID, float]:
    """One of MEASURES of each of these models; absent: it has none. Three queries, whatever their number."""
    value_of = MEASURES[measure]
    values = {identifier: value_of(facts) for identifier, facts in model_facts(model_ids).items()}
    return {identifier: value for identifier, value in values.items() if value is not None}


def with_figures(rows: QuerySet[Target], figures: Mapping[UUID, float], *, descending: bool) -> QuerySet[Target]:
    """The rows with `measure`, never NULL, to be ordered by: their figure, or what stands last in this direction."""
    known = Value({str(identifier): value for identifier, value in figures.items()}, output_field=JSONField())
    key = Cast("pk", TextField())
    text = Func(known, key, function="jsonb_extract_path_text", output_field=TextField())
    last = Value(_LAST_DESCENDING if descending else _LAST)
    return rows.annotate(measure=Coalesce(Cast(text, FloatField()), last))
