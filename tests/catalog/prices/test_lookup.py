"""Which price holds, what it makes of tokens, and what every installation begins with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from apps.catalog.models import Price
from apps.catalog.prices import seeds
from apps.catalog.prices.lookup import rates_of
from apps.catalog.prices.matching import PriceLine, find_rate, fits
from apps.core.ids import uuid7
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.usage import Rate, Usage, cost_of
from tests.factories import make_provider

OURS, OTHER = uuid7(), uuid7()
DAY = date(2026, 6, 15)


def line(
    price: int, model: str = "gpt-4o", *, provider: UUID | None = None, dialect: str = "", since: str = ""
) -> PriceLine:
    begins = date.fromisoformat(since or "2026-01-01")
    return PriceLine(provider, dialect, model, begins, Rate(input_per_million=Decimal(price)))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], None),
        ([line(1, dialect="openai")], 1),
        ([line(1, dialect="anthropic")], None),
        ([line(1, provider=OTHER)], None),
        ([line(1, dialect="openai"), line(2, provider=OURS)], 2),  # a provider's before a dialect's
        ([line(1, "gpt-4o", dialect="openai"), line(2, "*", provider=OURS)], 2),  # even a vague one
        ([line(1, "gpt-*", dialect="openai"), line(2, dialect="openai")], 2),  # a whole id before a beginning
        ([line(1, "gpt-4*", dialect="openai"), line(2, "gpt-*", dialect="openai")], 1),  # the longer beginning
        ([line(1, since="2025-01-01", dialect="openai"), line(2, since="2026-06-15", dialect="openai")], 2),
        ([line(1, since="2025-01-01", dialect="openai"), line(2, since="2026-06-16", dialect="openai")], 1),
        ([line(1, "gpt-4*", since="2026-06-01", dialect="openai"), line(2, dialect="openai")], 2),
        ([line(1, since="2026-06-16", dialect="openai")], None),
    ],
)
def test_the_most_specific_then_the_latest_that_has_begun_holds(lines: list[PriceLine], expected: int | None) -> None:
    for ordered in (lines, lines[::-1]):
        rate = find_rate(ordered, OURS, ["openai"], "gpt-4o", DAY)
        assert (rate.input_per_million if rate else None) == expected


@pytest.mark.parametrize(
    ("pattern", "model", "expected"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "GPT-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o-20*", "gpt-4o-2024-08-06", True),
        ("gpt-4o-20*", "gpt-4o-mini", False),
        ("*", "anything", True),
        ("gemini-2.5-pro", "models/gemini-2.5-pro", True),
        ("gpt-4o", "", False),
    ],
)
def test_a_price_fits_an_id_or_its_beginning(pattern: str, model: str, expected: bool) -> None:
    assert fits(pattern, model) is expected


@pytest.mark.parametrize(
    ("usage", "rate", "expected"),
    [
        (Usage(), ("2.5", "10", None), "0"),
        (Usage(tokens_in=1_000_000), ("2.5", "10", None), "2.5"),
        (Usage(tokens_out=1_000_000), ("2.5", "10", None), "10"),
        (Usage(tokens_in=20, tokens_out=16), ("2.5", "10", None), "0.00021"),
        (Usage(tokens_in=1_000_000, tokens_cached=400_000), ("2.5", "10", None), "2.5"),
        (Usage(tokens_in=1_000_000, tokens_cached=400_000), ("2.5", "10", "1.25"), "2"),
        (Usage(tokens_in=100, tokens_cached=1_000_000), ("2.5", "10", "0"), "0"),  # never more than came in
        (Usage(tokens_out=1_000, tokens_reasoning=900), ("2.5", "10", None), "0.01"),  # thinking is among what came out
        (Usage(tokens_in=10**6, tokens_out=10**6), ("0", "0", "0"), "0"),
        (Usage(tokens_in=-5, tokens_out=-5), ("2.5", "10", None), "0"),
        (Usage(tokens_in=1), ("0.02", "0", None), "0.00000002"),
    ],
)
def test_tokens_cost_what_the_rate_says(usage: Usage, rate: tuple[str, str, str | None], expected: str) -> None:
    into, out, cached = rate
    found = Rate(
        input_per_million=Decimal(into),
        output_per_million=Decimal(out),
        cached_per_million=None if cached is None else Decimal(cached),
    )
    assert cost_of(usage, found) == Decimal(expected)


@pytest.mark.django_db
def test_any_number_of_models_are_one_query(django_assert_num_queries: object) -> None:
    providers = [make_provider(dialect="openai_compatible") for _ in range(5)]
    Price.objects.create(
        provider=providers[0], model="x", input_per_million=7, output_per_million=0, valid_from=date(2026, 1, 1)
    )
    pairs = [(provider, name) for provider in providers for name in ("x", "y", "z")]
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = rates_of(pairs, DAY)
    assert {key: rate.input_per_million for key, rate in found.items()} == {(providers[0].pk, "x"): 7}
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert rates_of([], DAY) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("dialect", "base_url", "model", "into", "out"),
    [
        ("openai", "", "gpt-4o", "2.5", "10"),
        ("openai", "", "gpt-4o-mini-2024-07-18", "0.15", "0.6"),
        ("openai", "", "gpt-4o-2024-05-13", "5", "15"),
        ("anthropic", "", "claude-sonnet-4-5-20250929", "3", "15"),
        ("gemini", "", "models/gemini-2.5-flash", "0.3", "2.5"),
        ("ollama", "http://127.0.0.1:11434", "llama3.2:3b", "0", "0"),
        ("openai_compatible", "https://api.openai.com/v1", "gpt-4o", "2.5", "10"),
        ("openai_compatible", "https://api.other.example/v1", "gpt-4o", None, None),
        ("openai_compatible", "http://127.0.0.1:4000", "gpt-4o", None, None),  # a gateway, where Ollama may live too
        ("openai_compatible", "http://127.0.0.1:11434/v1", "llama3.2:3b", None, None),
        ("openai", "", "a-model-nobody-knows", None, None),
    ],
)
def test_well_known_models_have_a_price_from_the_start(
    dialect: str, base_url: str, model: str, into: str | None, out: str | None
) -> None:
    provider = make_provider()
    provider.dialect, provider.base_url = dialect, base_url
    rate = rates_of([(provider, model)], DAY).get((provider.pk, model))
    found = (rate.input_per_million, rate.output_per_million) if rate else (None, None)
    assert found == (into and Decimal(into), out and Decimal(out))


@pytest.mark.django_db
def test_seeded_prices_say_from_when_they_are_and_that_they_must_be_checked() -> None:
    prices = list(Price.objects.filter(seeded=True).exclude(dialect="ollama"))
    assert len(prices) > 40
    assert {price.valid_from for price in prices} == {seeds.AS_OF}
    assert all(str(seeds.AS_OF) in price.note and "check it against" in price.note for price in prices)
    assert all(price.output_per_million >= price.input_per_million or not price.output_per_million for price in prices)
    assert {price.dialect for price in prices} <= set(AI_DIALECTS.names())


@pytest.mark.django_db
def test_seeding_again_brings_nothing_back() -> None:
    before = Price.objects.count()
    Price.objects.filter(model="gpt-4o").delete()
    seeds.seed()
    assert Price.objects.count() == before - 1
