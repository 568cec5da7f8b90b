"""The cost ladder: what one rung costs a month at most. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from apps.core import kindconfig
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Rate, Usage, cost_of
from apps.probes.base import PROBE_KINDS

DAYS_A_MONTH = 30
# What a config is completed with from provider and model.
ENDPOINT = "endpoint"
_MONTH_SECONDS = DAYS_A_MONTH * 86_400
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class MonthlyCost:
    """Looks and tokens in thirty days, and the most they can cost in US dollars; None: no price is known."""

    looks: int
    tokens_in: int
    tokens_out: int
    most: Decimal | None


def monthly_cost(
    *, kind: str, config: Mapping[str, Any], interval_seconds: int, regions: int, rate: Rate | None
) -> MonthlyCost:
    """What a check of `kind` costs in thirty days when every look uses as much as it may.

    `config` may hold an `endpoint` with dialect and model: models that think before they answer may use more. A kind
    that is not paid for costs nothing, whatever the price. Raises UnknownEntry for a kind that there is none of,
    and kindconfig.ConfigError for a config that is none of the kind.
    """
    looks = max(regions, 0) * math.ceil(_MONTH_SECONDS / max(interval_seconds, 1))
    usage = most_usage(kind, config)
    tokens_in, tokens_out = usage.tokens_in * looks, usage.tokens_out * looks
    if not PROBE_KINDS.get(kind).is_paid:
        return MonthlyCost(looks, 0, 0, Decimal(0))
    if rate is None:
        return MonthlyCost(looks, tokens_in, tokens_out, None)
    return MonthlyCost(looks, tokens_in, tokens_out, cost_of(usage, rate) * looks)


def most_usage(kind: str, config: Mapping[str, Any]) -> Usage:
    """The most tokens one look of `kind` uses; none where it is not paid for. Raises as `monthly_cost` does."""
    probe = PROBE_KINDS.get(kind)
    if not probe.is_paid:
        return Usage()
    entered = {name: value for name, value in config.items() if name != ENDPOINT}
    decoded = kindconfig.decode(probe.Config, entered)
    if probe.uses_endpoint and config.get(ENDPOINT):
        # Filled in, as it is when the look goes out.
        decoded = msgspec.structs.replace(decoded, endpoint=msgspec.convert(config[ENDPOINT], Endpoint))
    return probe.most_usage(decoded)


def rounded(dollars: Decimal) -> Decimal:
    """For people: to the cent, and up, so that what is not free never reads as free."""
    return dollars.quantize(_CENT, rounding="ROUND_CEILING")
