"""What `/metrics` says of AI models: what was measured last, and what they ever used, cost and failed."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from apps.checks.ai.totals import ModelTotals, list_totals

# Two environments may have a provider of the same name. A look at a provider itself has no model.
_LABELS = ["environment", "provider", "model"]


def read_models() -> list[ModelTotals]:
    """Four queries. Raises what Django raises when the database is away."""
    try:
        return list_totals()
    finally:
        connection.close()  # the thread is ours, so nobody else gives the connection back


def ai_models(totals: list[ModelTotals]) -> Iterator[Metric]:
    """The families of every model and provider; what nobody measured is left out."""
    first = GaugeMetricFamily(
        "ai_time_to_first_token_seconds", "From the request to the first token, of the last good look.", labels=_LABELS
    )
    speed = GaugeMetricFamily(
        "ai_output_tokens_per_second", "Tokens out a second, of the last good look.", labels=_LABELS
    )
    tokens = CounterMetricFamily(
        "ai_tokens",
        "Tokens our looks used, by sort; cached ones are among those in, reasoning ones among those out.",
        labels=[*_LABELS, "type"],
    )
    cost = CounterMetricFamily("ai_probe_cost_usd", "What our looks cost, in US dollars.", labels=_LABELS)
    errors = CounterMetricFamily(
        "ai_probe_errors",
        "Looks that ended badly, by class and by whose fault it is.",
        labels=[*_LABELS, "class", "fault"],
    )
    for one in totals:
        labels = [one.environment, one.provider, one.model]
        if one.ttft_ms is not None:
            first.add_metric(labels, one.ttft_ms / 1_000)
        if one.output_tokens_per_second is not None:
            speed.add_metric(labels, one.output_tokens_per_second)
        for sort, count in one.tokens.items():
            tokens.add_metric([*labels, sort], count)
        if one.cost is not None:
            cost.add_metric(labels, float(one.cost))
        for (error, fault), looks in one.errors.items():
            errors.add_metric([*labels, error, fault], looks)
    yield from (first, speed, tokens, cost, errors)
