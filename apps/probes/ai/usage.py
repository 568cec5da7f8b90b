"""Tokens: what a look may use at most, what it used, and what that costs at a price."""

from __future__ import annotations

from decimal import Decimal

import msgspec

MILLION = Decimal(1_000_000)
# No look of ours comes near this: a provider that says more is not believed.
ABSURD_TOKENS = 10_000_000


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call. `cached` are among the tokens in, `reasoning` among the tokens out, as most providers count.

    `estimated`: the provider named no numbers that can be believed, and these were counted by us.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    estimated: bool = False

    def measurements(self) -> dict[str, float]:
        """As an outcome carries them; `usage_estimated` is there (1) only when it is so."""
        measured = {
            "tokens_in": float(self.tokens_in),
            "tokens_out": float(self.tokens_out),
            "tokens_cached": float(self.tokens_cached),
            "tokens_reasoning": float(self.tokens_reasoning),
        }
        return measured | {"usage_estimated": 1.0} if self.estimated else measured


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What a million tokens cost, in US dollars. Without a price for cached tokens they cost as much as others."""

    input_per_million: Decimal = Decimal(0)
    output_per_million: Decimal = Decimal(0)
    cached_per_million: Decimal | None = None


def cost_of(usage: Usage, rate: Rate) -> Decimal:
    """US dollars, to eight places."""
    cached = min(max(usage.tokens_cached, 0), max(usage.tokens_in, 0))
    cached_rate = rate.input_per_million if rate.cached_per_million is None else rate.cached_per_million
    dollars = (
        Decimal(max(usage.tokens_in - cached, 0)) * rate.input_per_million
        + Decimal(cached) * cached_rate
        + Decimal(max(usage.tokens_out, 0)) * rate.output_per_million
    ) / MILLION
    return dollars.quantize(Decimal("0.00000001"))
