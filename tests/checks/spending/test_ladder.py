"""What a rung costs a month, worked out before anything is saved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.checks.spending.ladder import MonthlyCost, monthly_cost, rounded
from apps.core.kindconfig import ConfigError
from apps.core.registry import UnknownEntry
from apps.probes.ai.usage import Rate
from tests.checks.spending.paying import KIND

DOLLAR = Rate(output_per_million=Decimal(1))


@pytest.mark.parametrize(
    ("tokens", "interval", "regions", "rate", "expected"),
    [
        (1_000, 2_592_000, 1, DOLLAR, MonthlyCost(1, 0, 1_000, Decimal("0.001"))),
        (1_000, 86_400, 1, DOLLAR, MonthlyCost(30, 0, 30_000, Decimal("0.03"))),
        (1_000, 300, 3, DOLLAR, MonthlyCost(25_920, 0, 25_920_000, Decimal("25.92"))),
        (1_000, 300, 0, DOLLAR, MonthlyCost(0, 0, 0, Decimal(0))),
        (1_000, 300, 1, None, MonthlyCost(8_640, 0, 8_640_000, None)),
        (1_000, 300, 1, Rate(), MonthlyCost(8_640, 0, 8_640_000, Decimal(0))),
        (1_000, 7 * 86_400, 1, DOLLAR, MonthlyCost(5, 0, 5_000, Decimal("0.005"))),  # four weeks and a bit
    ],
)
def test_a_rung_costs_its_looks_times_the_most_of_one(
    tokens: int, interval: int, regions: int, rate: Rate | None, expected: MonthlyCost
) -> None:
    config = {"tokens": tokens}
    assert monthly_cost(kind=KIND, config=config, interval_seconds=interval, regions=regions, rate=rate) == expected


def test_a_free_kind_costs_nothing_without_any_price() -> None:
    cost = monthly_cost(kind="http", config={"url": "http://x/"}, interval_seconds=60, regions=1, rate=None)
    assert (cost.looks, cost.most) == (43_200, Decimal(0))


def test_models_that_think_may_cost_more() -> None:
    def most(model: str) -> Decimal:
        config = {"endpoint": {"dialect": "openai", "model": model}}
        cost = monthly_cost(kind="ai_ping", config=config, interval_seconds=300, regions=1, rate=DOLLAR)
        assert cost.most is not None
        return cost.most

    assert most("gpt-5-mini") > most("gpt-4o-mini")


def test_what_is_no_kind_or_no_config_of_it_is_refused() -> None:
    with pytest.raises(UnknownEntry):
        monthly_cost(kind="boat", config={}, interval_seconds=60, regions=1, rate=None)
    with pytest.raises(ConfigError):
        monthly_cost(kind=KIND, config={"tokens": "many"}, interval_seconds=60, regions=1, rate=None)


def test_what_is_not_free_never_reads_as_free() -> None:
    assert rounded(Decimal("0.0001")) == Decimal("0.01")
    assert rounded(Decimal(0)) == 0
