"""Writing down what workers found at the guards of their region."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from apps.checks.guards.selectors import FRESH_SECONDS
from apps.checks.messages import GuardReport
from apps.checks.models.guard import Guard, LineState
from apps.core.clock import database_now
from apps.core.news import announce
from apps.probes.evidence import bounded
from apps.probes.line import says_nothing


@transaction.atomic
def record_guard_reports(region_id: UUID, reports: Sequence[GuardReport]) -> None:
    """Store what a worker of the region found at its guards; pages hear of it when one changed.

    Any number of workers look for one region: the latest look wins, and an older report never overwrites a newer one.
    A guard that is gone, switched off or of another region is left out.
    """
    latest = {report.guard: report for report in sorted(reports, key=lambda report: report.at)}
    if not latest:
        return
    now = database_now()
    rows = Guard.objects.select_for_update().filter(region_id=region_id, enabled=True).order_by("pk")
    news = [_record(guard, latest[str(guard.pk)], now) for guard in rows if str(guard.pk) in latest]
    if any(news):
        announce("region.line", [region_id], None)


def _record(guard: Guard, report: GuardReport, now: datetime) -> bool:
    """Returns whether pages show something else from now on."""
    # A machine whose clock is ahead must not keep the reports of the others out.
    at = datetime.fromtimestamp(min(max(report.at, 0.0), now.timestamp()), UTC)
    if guard.last_looked_at is not None and at <= guard.last_looked_at:
        return False
    state = _state_of(report)
    was_stale = guard.last_looked_at is None or (now - guard.last_looked_at).total_seconds() > FRESH_SECONDS
    changed = state != guard.state
    guard.last_looked_at = at
    fields = ["last_looked_at"]
    if changed or report.reason != guard.reason:
        guard.state, guard.reason, guard.evidence = state, report.reason[:40], bounded(report.evidence)
        fields += ["state", "reason", "evidence"]
    if changed:
        guard.since = at
        fields.append("since")
    guard.save(update_fields=fields)
    return changed or was_stale


def _state_of(report: GuardReport) -> LineState:
    if report.answers:
        return LineState.ANSWERS
    return LineState.UNKNOWN if says_nothing(report.reason) else LineState.FAILS
