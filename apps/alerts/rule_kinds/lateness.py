"""`lateness`: by how much the portal itself looks too late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import PORTAL, RULE_KINDS, Reading, Readings, RuleKind
from apps.checks.attention import get_longest_wait_seconds
from apps.checks.regions.selectors import WorkerView, get_regions
from apps.core.kindconfig import field

# What a worker finds due when it starts says nothing of how it keeps up.
_SETTLING = timedelta(seconds=90)


class LatenessConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which percentile of the last minute."""

    percentile: Annotated[
        Literal["p50", "p95", "p99"],
        field(_("Percentile"), _("Of the starts of the last minute, in the worker that is latest.")),
    ] = "p95"


class LatenessKind(RuleKind[LatenessConfig]):
    """The worse of two: looks that start late, and looks that are due and wait for a worker."""

    name = "lateness"
    label = _("Lateness of the portal")
    help_text = _("By how much looks start after their time, or have been waiting for a worker, whichever is more.")
    Config = LatenessConfig
    unit = "ms"
    per_target = False
    cause = "lateness"

    def read(self, config: LatenessConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        waiting = get_longest_wait_seconds()
        settled = [
            (region, worker)
            for region in get_regions()
            if region.enabled
            for worker in region.workers
            if not worker.key_differs and worker.started_at <= now - _SETTLING
        ]
        found = [(_late(worker, config), region.slug) for region, worker in settled]
        if waiting is not None:
            found.append((1_000.0 * waiting, ""))
        if not found:
            return {}
        late, region = max(found)
        return {PORTAL: Reading(round(late, 1), {"region": region} if region else {})}

    def lookback_seconds(self, config: LatenessConfig) -> float:
        return 60.0


def _late(worker: WorkerView, config: LatenessConfig) -> float:
    return float(getattr(worker, f"late_ms_{config.percentile}"))


RULE_KINDS.add(LatenessKind.name, LatenessKind())
