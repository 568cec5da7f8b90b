"""The page on costs says what the ladder says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from apps.catalog.prices import seeds
from apps.catalog.prices.matching import PriceLine, find_rate
from apps.checks.spending.ladder import monthly_cost, most_usage, rounded
from apps.core.ids import uuid7
from apps.probes.ai.usage import Rate
from apps.probes.base import PROBE_KINDS

PAGE = (Path(settings.BASE_DIR) / "docs" / "ai" / "costs.md").read_text()
KINDS = ("ai_ping", "ai_stream", "ai_canary")
ROWS = re.findall(
    r"^\| (openai|anthropic|gemini) ([a-z0-9.-]+)[^|]*\| \$([\d.]+) \| \$([\d.]+) \| \$([\d.]+) \|$", PAGE, re.M
)
LINES = [
    PriceLine(
        None,
        price.dialect,
        price.model,
        price.valid_from,
        Rate(
            input_per_million=price.input_per_million,
            output_per_million=price.output_per_million,
            cached_per_million=price.cached_per_million,
        ),
    )
    for price in seeds.seeded_prices()
]


def test_the_page_names_the_day_of_the_prices() -> None:
    assert str(seeds.AS_OF) in PAGE
    assert len(ROWS) == 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_the_bill_is_that_of_the_ladder(row: tuple[str, ...]) -> None:
    dialect, model, *written = row
    rate = find_rate(LINES, uuid7(), [dialect], model, seeds.AS_OF)
    costs = []
    for name in KINDS:
        kind = PROBE_KINDS.get(name)
        config = {**kind.first_config(), "endpoint": {"dialect": dialect, "model": model}}
        cost = monthly_cost(
            kind=name, config=config, interval_seconds=kind.default_interval_seconds, regions=1, rate=rate
        )
        assert cost.most is not None
        costs.append(rounded(cost.most))
    assert costs == [Decimal(amount) for amount in written]


@pytest.mark.parametrize("name", ["ai_ping", "ai_embedding", "ai_stream"])
def test_the_tokens_of_a_look_are_those_it_may_use(name: str) -> None:
    usage = most_usage(name, PROBE_KINDS.get(name).first_config())
    said = f"{usage.tokens_in} in, {usage.tokens_out} out" if usage.tokens_out else f"{usage.tokens_in} in"
    assert re.search(rf"^\| [23] \| `{name}` \|.*\| {said} \|", PAGE, re.M), said
