"""What pages, the API, badges and sockets read. Every count comes from `get_summary`, so they always agree.

Every function has a fixed number of queries, whatever the number of rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Value, When

from apps.accounts.models import User
from apps.catalog.models import Target, TargetKind
from apps.catalog.status import Status
from apps.checks import history
from apps.checks.models import Check, CheckEvidence, CheckResult, CheckRun, Incident, StateChange
from apps.core import clock
from apps.core.cache import cached
from apps.core.ids import moment_of
from apps.probes.base import PROBE_KINDS

Viewer = User | AnonymousUser
_KIND_NAMES = {TargetKind.PROVIDER: "providers", TargetKind.MODEL: "models", TargetKind.SERVICE: "services"}


@cached("summary", ttl=5, depends=("targets", "incidents"))
def get_summary(user: Viewer, environment: UUID | None = None) -> dict[str, Any]:
    """Counts by status for all targets and by kind, and the open incidents. The five states sum to the total.

    Shape: {"as_of", "targets": {"total", "operational", "degraded", "outage", "unknown", "maintenance"},
    "providers": …, "models": …, "services": …, "incidents": {"open"}}. Two queries.
    """
    rows = (
        _targets(user, environment)
        .values("kind", "status_row__status")
        .annotate(number=Count("pk"))
        .values_list("kind", "status_row__status", "number")
    )
    summary: dict[str, Any] = {"as_of": clock.now().isoformat(), "targets": _no_counts()}
    summary.update({name: _no_counts() for name in _KIND_NAMES.values()})
    for kind, status, number in rows:
        for counts in (summary["targets"], summary[_KIND_NAMES[TargetKind(kind)]]):
            counts["total"] += number
            counts[status or Status.UNKNOWN.value] += number
    open_incidents = Incident.objects.visible_to(user).open().filter(target__deleted_at__isnull=True)
    if environment is not None:
        open_incidents = open_incidents.filter(target__environment_id=environment)
    summary["incidents"] = {"open": open_incidents.count()}
    return summary


def _no_counts() -> dict[str, int]:
    return {"total": 0, **{status.value: 0 for status in Status}}


def _targets(user: Viewer, environment: UUID | None) -> models.QuerySet[Target]:
    targets = Target.objects.visible_to(user).present()
    return targets.filter(environment_id=environment) if environment is not None else targets


@cached("realtime_stats", ttl=5, depends=("targets", "incidents"))
def get_realtime_stats(user: Viewer) -> dict[str, Any]:
    """The model counts of `get_summary` in the shape outside tools read, with the mean 24 h uptime of the models that
    were measured (per cent; None when none was). Six queries at most."""
    summary = get_summary(user)
    counts = summary["models"]
    enabled_checks = Check.objects.present().filter(target=OuterRef("pk"), enabled=True)
    model_ids = list(
        _targets(user, None).filter(kind=TargetKind.MODEL, enabled=True).values_list("pk", Exists(enabled_checks))
    )
    ratios = [
        report.ratio
        for report in history.get_uptime([identifier for identifier, _ in model_ids], history.DAY).values()
        if report.ratio is not None
    ]
    return {
        "totalModels": counts["total"],
        "activeModels": sum(active for _, active in model_ids),
        "operationalModels": counts["operational"],
        "degradedModels": counts["degraded"],
        "outageModels": counts["outage"],
        "unknownModels": counts["unknown"],
        "maintenanceModels": counts["maintenance"],
        "avgAvailability": round(100 * sum(ratios) / len(ratios), 3) if ratios else None,
        "lastUpdated": summary["as_of"],
    }


_SEVERITY_ORDER = Case(
    When(status_row__status=Status.OUTAGE, then=Value(0)),
    When(status_row__status=Status.DEGRADED, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True)
class WrongNow:
    """One row of "wrong now": the target, its open incident (None for an unknown one) and its last hour."""

    target: Target
    incident: Incident | None
    reason: str
    evidence: dict[str, Any]
    sparkline: list[float | None]


def list_wrong_now(user: Viewer, environment: UUID | None = None, limit: int = 50) -> list[WrongNow]:
    """Targets in outage, then degraded, newest first in each. Three queries."""
    targets = list(
        _targets(user, environment)
        .filter(status_row__status__in=[Status.OUTAGE, Status.DEGRADED])
        .select_related("status_row", "environment", "namespace")
        .order_by(_SEVERITY_ORDER, F("status_row__since").desc())[:limit]
    )
    identifiers = [target.pk for target in targets]
    incidents = {
        incident.target_id: incident
        for incident in Incident.objects.filter(target_id__in=identifiers).open().select_related("acknowledged_by")
    }
    lines = history.get_sparklines(identifiers) if identifiers else {}
    return [
        WrongNow(
            target=target,
            incident=incidents.get(target.pk),
            reason=target.status_row.reason,
            evidence=incidents[target.pk].evidence if target.pk in incidents else {},
            sparkline=lines[target.pk],
        )
        for target in targets
    ]


def list_open_incidents(user: Viewer, environment: UUID | None = None, limit: int = 50) -> models.QuerySet[Incident]:
    """Open incidents, newest first. One query."""
    rows = (
        Incident.objects.visible_to(user)
        .open()
        .filter(target__deleted_at__isnull=True)
        .select_related("target__namespace", "target__environment", "target__status_row", "acknowledged_by")
        .order_by("-opened_at")
    )
    if environment is not None:
        rows = rows.filter(target__environment_id=environment)
    return rows[:limit]


def list_recent_changes(user: Viewer, environment: UUID | None = None, limit: int = 20) -> models.QuerySet[StateChange]:
    """The latest changes of status, newest first. One query."""
    rows = (
        StateChange.objects.visible_to(user)
        .filter(target__deleted_at__isnull=True)
        .select_related("target__namespace", "target__environment")
        .order_by("-at")
    )
    if environment is not None:
        rows = rows.filter(target__environment_id=environment)
    return rows[:limit]


def get_last_problem(user: Viewer, environment: UUID | None = None) -> Incident | None:
    """The incident that ended last: what an empty "wrong now" remembers. One query."""
    rows = Incident.objects.visible_to(user).filter(resolved_at__isnull=False, target__deleted_at__isnull=True)
    if environment is not None:
        rows = rows.filter(target__environment_id=environment)
    return rows.select_related("target__namespace").order_by("-resolved_at").first()


@dataclass(frozen=True)
class CheckCard:
    """A check on its target's page: its verdict, its latest result and its last hour.

    `waits_for` is the schedule of one that is told instead of looking, in words; "" for every other.
    """

    check: Check
    verdict: Status
    reason: str
    latest: CheckResult | None
    evidence: dict[str, Any]
    sparkline: list[float | None]
    waits_for: str = ""


def list_checks_of(target: Target) -> list[CheckCard]:
    """The checks of one target in the order they were made. Four queries."""
    checks = list(
        Check.objects.filter(target=target, deleted_at__isnull=True)
        .select_related("status_row", "heartbeat")
        .order_by("id")
    )
    latest = latest_results([check.pk for check in checks])
    lines = history.get_check_sparklines([check.pk for check in checks])
    evidence = {
        row.id: row.evidence
        for row in CheckEvidence.objects.filter(
            check_id__in=list(latest),
            at__in=[result.at for result in latest.values()],
            id__in=[result.id for result in latest.values()],
        )
    }
    return [
        CheckCard(
            check=check,
            verdict=verdict_of(check),
            reason=reason_of(check),
            latest=latest.get(check.pk),
            evidence=evidence.get(latest[check.pk].id, {}) if check.pk in latest else {},
            sparkline=lines.get(check.pk, []),
            waits_for=_waits_for(check),
        )
        for check in checks
    ]


def _waits_for(check: Check) -> str:
    if check.kind not in history.told_kinds():
        return ""
    kind = PROBE_KINDS.get(check.kind)
    return kind.address(msgspec.convert(check.config, kind.Config))


def verdict_of(check: Check) -> Status:
    """What its regions agree on; unknown for a check that was never measured or is paused."""
    row = getattr(check, "status_row", None)
    return Status(row.verdict) if row is not None and check.enabled else Status.UNKNOWN


def reason_of(check: Check) -> str:
    if not check.enabled:
        return "paused"
    row = getattr(check, "status_row", None)
    return row.reason if row is not None else "not_measured"


_LATEST = """
    SELECT r.* FROM unnest(%s::uuid[]) AS c(id)
    CROSS JOIN LATERAL (
        SELECT at, id, check_id, region_id, state, reason, duration_ms, status_code, measurements
        FROM checks_checkresult WHERE check_id = c.id AND at > now() - interval '2 days' ORDER BY at DESC LIMIT 1
    ) r
"""


def latest_results(check_ids: list[UUID]) -> dict[UUID, CheckResult]:
    """The last result of each check in the last two days. One query over an index."""
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [check_ids])
        columns = [column.name for column in cursor.description or ()]
        rows = [CheckResult(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]
    for row in rows:
        row.measurements = json.loads(row.measurements)
    return {row.check_id: row for row in rows}


def list_results(check: Check) -> models.QuerySet[CheckResult]:
    """Results of one check; order and page by (at, id)."""
    return CheckResult.objects.filter(check_id=check.pk)


def get_result(check: Check, identifier: UUID) -> CheckResult | None:
    """One result by id. A version 7 id tells its day, so one partition is read instead of all."""
    rows = CheckResult.objects.filter(check_id=check.pk, id=identifier)
    made_at: datetime | None = moment_of(identifier)
    if made_at is not None:
        # A look starts at most minutes before its result is numbered, or (a run) after it was asked for.
        rows = rows.filter(at__gte=made_at - timedelta(minutes=10), at__lte=made_at + timedelta(minutes=10))
    return rows.first()


def get_evidence(result: CheckResult) -> dict[str, Any]:
    """What the look saw; empty for a plain success, which keeps none. One query."""
    row = CheckEvidence.objects.filter(check_id=result.check_id, at=result.at, id=result.id).first()
    return row.evidence if row is not None else {}


def get_run(check: Check, identifier: UUID) -> CheckRun | None:
    return CheckRun.objects.filter(source_check=check, pk=identifier).first()
