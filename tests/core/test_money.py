"""How amounts of money are written: never as nothing while they are something, in either language."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from apps.core.money import dollars, dollars_to_the_cent


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (Decimal("0.000012"), "$0.000012"),
        (Decimal("0.00042"), "$0.00042"),
        (0.031, "$0.031"),
        (0.05, "$0.05"),
        (Decimal("0.3"), "$0.30"),
        (0.9999, "$1.00"),
        (12.4, "$12.40"),
        (Decimal("1234.5"), "$1,234.50"),
        (12_483.2, "$12,483"),
        (Decimal("99999999.9999"), "$100,000,000"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_an_amount_keeps_what_it_is_worth(amount: float | None, text: str, language: str) -> None:
    with translation.override(language):
        assert dollars(amount) == text


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal(0), "$0.00"),
        (Decimal("0.000012"), "<$0.01"),
        (Decimal("0.0107"), "$0.01"),
        (Decimal("0.166"), "$0.17"),
        (Decimal("2.8"), "$2.80"),
        (Decimal("12483.2"), "$12,483.20"),
        (None, "–"),
    ],
)
def test_amounts_below_each_other_have_the_same_places(amount: Decimal | None, text: str, language: str) -> None:
    with translation.override(language):
        assert dollars_to_the_cent(amount) == text
