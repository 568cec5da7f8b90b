"""US dollars as a person reads them: the one way in which amounts are written. Pure but for the active language."""

from __future__ import annotations

import math
from decimal import Decimal

from django.utils.translation import pgettext

# An amount that does not exist is an en dash, never a zero.
ABSENT = "–"
_NO_BREAK = "\u00a0"
# What is stored of the cost of a look.
_MOST_PLACES = 8
# From here on cents say nothing any more.
_WHOLE_FROM = 10_000
_SMALLEST_SHOWN = Decimal("0.01")

Amount = Decimal | float


def dollars(amount: Amount | None) -> str:
    """One amount: "$0", "$0.000012", "$0.031", "$12.40", "$1,234.50", "$12,483". Small ones keep three digits."""
    if amount is None or not math.isfinite(amount):
        return ABSENT
    return _written(_digits(float(amount)))


def dollars_to_the_cent(amount: Amount | None) -> str:
    """One of several that stand below each other: "$0.00", "<$0.01", "$12.40", "$12,483.00".

    What is not nothing never reads as nothing.
    """
    if amount is None or not math.isfinite(amount):
        return ABSENT
    if 0 < amount < _SMALLEST_SHOWN / 2:
        return pgettext("an amount of money", "<%(amount)s") % {"amount": _written(f"{_SMALLEST_SHOWN:.2f}")}
    return _written(f"{amount:,.2f}")


def _written(number: str) -> str:
    return (pgettext("US dollars", "$%(number)s") % {"number": number}).replace(" ", _NO_BREAK)


def _digits(value: float) -> str:
    size = abs(value)
    if not value:
        return "0"
    if size >= _WHOLE_FROM:
        return f"{value:,.0f}"
    if size >= 0.995:
        return f"{value:,.2f}"
    # The looks of one day may cost less than a cent, and prices have halves of one: three digits, wherever they begin,
    # down to what is stored.
    places = min(_MOST_PLACES, 2 - math.floor(math.log10(size)))
    whole, _point, rest = f"{value:.{places}f}".rstrip("0").partition(".")
    return f"{whole}.{rest:0<2}"
