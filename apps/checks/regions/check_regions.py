"""What each region says of one check, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.catalog.status import Status
from apps.checks import reasons
from apps.checks.models import Check, CheckEvidence, CheckRegion, CheckResult
from apps.checks.regions.selectors import RegionView, get_regions

# Among so many of the latest results the last one of each region is looked for first.
_RECENT = 100


@dataclass(frozen=True)
class CheckRegionView:
    """One region of a check. `in_quorum`: its verdict is fresh, so it counts when the regions decide.

    `last_*` is the latest look known of there; `state` and `line` are those of the region itself.
    """

    id: UUID
    slug: str
    name: str
    verdict: str
    since: datetime
    reason: str
    sentence: str
    in_quorum: bool
    last_result_at: datetime | None
    last_state: str | None
    last_duration_ms: float | None
    next_due_at: datetime
    lease_until: datetime | None
    state: str
    line: str


def get_check_regions(check: Check) -> list[CheckRegionView]:
    """The enabled regions of a check, by short name. A fixed number of queries, whatever the history."""
    rows = list(check.regions.filter(enabled=True).select_related("region").order_by("region__slug"))
    latest = _latest(check, rows)
    evidence = _evidence(check, list(latest.values()))
    known = {region.id: region for region in get_regions()}
    return [
        _view(row, latest.get(row.region_id), evidence, known[row.region_id]) for row in rows if row.region_id in known
    ]


def _latest(check: Check, rows: list[CheckRegion]) -> dict[UUID, CheckResult]:
    """The latest result of each region; the last that counted where none is recent. Two queries."""
    found: dict[UUID, CheckResult] = {}
    results = CheckResult.objects.filter(check_id=check.pk)
    for result in results.order_by("-at")[:_RECENT]:
        found.setdefault(result.region_id, result)
    moments = [row.last_result_at for row in rows if row.last_result_at is not None]
    for result in results.filter(at__in=moments):
        found.setdefault(result.region_id, result)
    return found


def _evidence(check: Check, results: list[CheckResult]) -> dict[UUID, dict[str, Any]]:
    moments = [result.at for result in results]
    rows = CheckEvidence.objects.filter(check_id=check.pk, at__in=moments)
    return {row.id: row.evidence for row in rows}


def _view(
    row: CheckRegion, result: CheckResult | None, evidence: dict[UUID, dict[str, Any]], region: RegionView
) -> CheckRegionView:
    seen = evidence.get(result.id, {}) if result is not None and result.reason == row.reason else {}
    return CheckRegionView(
        id=row.region_id,
        slug=region.slug,
        name=region.name,
        verdict=row.verdict,
        since=row.verdict_since,
        reason=row.reason,
        sentence=reasons.sentence(row.reason, seen),
        in_quorum=row.verdict != Status.UNKNOWN,
        last_result_at=row.last_result_at,
        last_state=result.state if result is not None else None,
        last_duration_ms=result.duration_ms if result is not None else None,
        next_due_at=row.next_due_at,
        lease_until=row.lease_until,
        state=region.state.value,
        line=region.line,
    )
