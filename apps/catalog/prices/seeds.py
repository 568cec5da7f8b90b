"""Prices every installation begins with: list prices of well-known models, as of one day. Idempotent.

They are a beginning, not the truth: vendors change prices, and contracts differ. The note of each says so.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from apps.catalog.models import Price

# The day these prices were written down, and from which they hold.
AS_OF = date(2025, 12, 1)
_LIST_PRICE = f"List price as of {AS_OF.isoformat()}; check it against the vendor's price page."
_OWN_MACHINE = "Runs on your own machine: no price a token. Set one to count what the machine costs."

# Dialect, model, US dollars a million tokens: in, out, cached in (empty: as the others).
_TABLE = """
openai     gpt-5.1                  1.25  10     0.125
openai     gpt-5.1-20*              1.25  10     0.125
openai     gpt-5                    1.25  10     0.125
openai     gpt-5-20*                1.25  10     0.125
openai     gpt-5-mini*              0.25  2      0.025
openai     gpt-5-nano*              0.05  0.40   0.005
openai     gpt-5-pro*               15    120
openai     gpt-4.1                  2     8      0.50
openai     gpt-4.1-20*              2     8      0.50
openai     gpt-4.1-mini*            0.40  1.60   0.10
openai     gpt-4.1-nano*            0.10  0.40   0.025
openai     gpt-4o                   2.50  10     1.25
openai     gpt-4o-20*               2.50  10     1.25
openai     gpt-4o-2024-05-13        5     15
openai     gpt-4o-mini              0.15  0.60   0.075
openai     gpt-4o-mini-20*          0.15  0.60   0.075
openai     o3                       2     8      0.50
openai     o3-20*                   2     8      0.50
openai     o3-mini*                 1.10  4.40   0.55
openai     o3-pro*                  20    80
openai     o4-mini                  1.10  4.40   0.275
openai     o4-mini-20*              1.10  4.40   0.275
openai     o1                       15    60     7.50
openai     o1-20*                   15    60     7.50
openai     gpt-4-turbo*             10    30
openai     gpt-4                    30    60
openai     gpt-4-0*                 30    60
openai     gpt-3.5-turbo            0.50  1.50
openai     gpt-3.5-turbo-0125       0.50  1.50
openai     text-embedding-3-small   0.02  0
openai     text-embedding-3-large   0.13  0
openai     text-embedding-ada-002   0.10  0
anthropic  claude-opus-4-5*         5     25     0.50
anthropic  claude-sonnet-4-5*       3     15     0.30
anthropic  claude-haiku-4-5*        1     5      0.10
anthropic  claude-opus-4-1*         15    75     1.50
anthropic  claude-opus-4-0*         15    75     1.50
anthropic  claude-opus-4-20*        15    75     1.50
anthropic  claude-sonnet-4-0*       3     15     0.30
anthropic  claude-sonnet-4-20*      3     15     0.30
anthropic  claude-3-7-sonnet*       3     15     0.30
anthropic  claude-3-5-sonnet*       3     15     0.30
anthropic  claude-3-5-haiku*        0.80  4      0.08
anthropic  claude-3-opus*           15    75     1.50
anthropic  claude-3-haiku*          0.25  1.25   0.03
gemini     gemini-3-pro*            2     12     0.20
gemini     gemini-2.5-pro           1.25  10     0.125
gemini     gemini-2.5-flash         0.30  2.50   0.03
gemini     gemini-2.5-flash-lite*   0.10  0.40   0.01
gemini     gemini-2.0-flash         0.10  0.40   0.025
gemini     gemini-2.0-flash-0*      0.10  0.40   0.025
gemini     gemini-2.0-flash-lite*   0.075 0.30
gemini     gemini-embedding-001     0.15  0
ollama     *                        0     0      0
"""


def seeded_prices() -> list[Price]:
    """The rows, not stored."""
    found = []
    for line in _TABLE.split("\n"):
        if not line.strip():
            continue
        dialect, model, into, out, *cached = line.split()
        found.append(
            Price(
                dialect=dialect,
                model=model,
                input_per_million=Decimal(into),
                output_per_million=Decimal(out),
                cached_per_million=Decimal(cached[0]) if cached else None,
                valid_from=AS_OF,
                note=_OWN_MACHINE if dialect == "ollama" else _LIST_PRICE,
                seeded=True,
            )
        )
    return found


def seed(**_: Any) -> None:
    """Add the prices of this day, all at once and only once: one that was removed or edited stays so. One query."""
    if not Price.objects.filter(seeded=True, valid_from=AS_OF).exists():
        Price.objects.bulk_create(seeded_prices(), ignore_conflicts=True)
