"""`cache_hit_rate`: how often the portal's own pages find an answer in the cache."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import PORTAL, RULE_KINDS, Reading, Readings, RuleKind
from apps.core.cache import cache_statistics
from apps.core.kindconfig import field


class CacheHitRateConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over how long, and from how many reads on a rate means anything."""

    window_minutes: Annotated[
        int, field(_("Over"), _("Reads of this many minutes until now."), unit=_("minutes"), ge=1, le=60)
    ] = 15
    least_reads: Annotated[
        int,
        field(
            _("At least"),
            _("With fewer reads there is no rate: a portal that nobody looks at misses every time."),
            unit=_("reads"),
            ge=1,
            le=1_000_000,
        ),
    ] = 200


class CacheHitRateKind(RuleKind[CacheHitRateConfig]):
    """Counted in Valkey; while it is away there is no data, and its own check says so."""

    name = "cache_hit_rate"
    label = _("Cache hit rate")
    help_text = _("The share of reads that the portal's cache answers, all processes together.")
    Config = CacheHitRateConfig
    unit = "%"
    per_target = False
    cause = "cache_hit_rate"
    highest = 100.0
    usual_operator = "<"

    def read(self, config: CacheHitRateConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        found = cache_statistics(config.window_minutes)
        hits, reads = sum(one.hits for one in found), sum(one.hits + one.misses for one in found)
        if reads < config.least_reads:
            return {}
        return {PORTAL: Reading(round(100.0 * hits / reads, 2), {"reads": reads})}

    def lookback_seconds(self, config: CacheHitRateConfig) -> float:
        return 60.0 * config.window_minutes


RULE_KINDS.add(CacheHitRateKind.name, CacheHitRateKind())
