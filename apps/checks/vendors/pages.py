"""Vendors' pages as they were last read, and every change of what they say.

A page that cannot be read says nothing: it becomes unknown, what it said last stays beside it with its age, and open
incidents stay open, for nobody has said that they are over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q

from apps.catalog.models import Provider
from apps.catalog.status import Status
from apps.checks.ai.last_looks import Look
from apps.checks.models import Check, VendorChange, VendorIncident, VendorPage
from apps.probes.reasons import Reason
from apps.probes.vendor_pages.problems import PageProblem
from apps.probes.vendor_pages.reading import PageIncident
from apps.probes.vendor_pages.report import PageReport, report_in

KIND = "vendor_status"
# As for checks: three intervals without a look, and not less than this.
STALE_INTERVALS = 3
STALE_AT_LEAST = timedelta(minutes=5)
_VALUES = ("actual", "expected", "location", "cause", "detail")
_STATE = ("format", "status", "since", "readable", "problem", "problem_values", "description", "components")
_FIELDS = (*_STATE, "looked_at", "read_at", "updated_at")


def store(looks: Sequence[Look], now: datetime) -> None:
    """Keep what the looks at status pages among `looks` found, in the caller's transaction.

    Of most batches none is one, and then nothing is asked. A look that says something about ourselves only (a held up
    worker, a lost line) is left out.
    """
    telling = [look for look in looks if look.kind == KIND and _says_something(look)]
    if not telling:
        return
    pages = _locked({look.target for look in telling}, now)
    followed = _followed([look.target for look in telling])
    for look in sorted(telling, key=lambda one: one.outcome.started_at):
        page = pages.get(look.target)
        at = min(datetime.fromtimestamp(look.outcome.started_at, UTC), now)
        if page is None or followed.get(look.target) != look.check or (page.looked_at and at <= page.looked_at):
            continue
        _take(page, look, at)


def _says_something(look: Look) -> bool:
    return report_in(look.outcome.evidence) is not None or look.outcome.reason is Reason.VENDOR_PAGE_UNREADABLE


def _locked(target_ids: set[UUID], now: datetime) -> dict[UUID, VendorPage]:
    """The pages of these providers, made where there is none yet. Two queries, three for a new one."""
    providers = Provider.objects.filter(pk__in=target_ids, target__deleted_at__isnull=True)
    missing = providers.filter(vendor_page__isnull=True)
    VendorPage.objects.bulk_create(
        [new_page(identifier, now) for identifier in missing.values_list("pk", flat=True)], ignore_conflicts=True
    )
    rows = VendorPage.objects.select_for_update(of=("self",)).filter(provider__in=providers).order_by("provider")
    return {page.provider_id: page for page in rows}


def _followed(target_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The one check of each provider that counts: two that read different pages would contradict each other."""
    rows = Check.objects.present().filter(target_id__in=target_ids, kind=KIND).order_by("target_id", "pk")
    return dict(rows.distinct("target_id").values_list("target_id", "pk"))


def new_page(provider_id: UUID, now: datetime) -> VendorPage:
    """A page nobody has read yet."""
    return VendorPage(provider_id=provider_id, since=now, problem=PageProblem.NOT_READ_YET.value)


def _take(page: VendorPage, look: Look, at: datetime) -> None:
    report = report_in(look.outcome.evidence)
    before = page.status
    page.looked_at = at
    if report is not None:
        _read(page, report, at)
        _keep_incidents(page.provider_id, report, at)
    else:
        evidence = look.outcome.evidence
        _unreadable(
            page, str(evidence.get("problem") or ""), {key: evidence[key] for key in _VALUES if key in evidence}
        )
    if page.status != before:
        page.since = at
        VendorChange.objects.create(provider_id=page.provider_id, at=at, status=page.status)
    page.save(update_fields=_FIELDS)


def _read(page: VendorPage, report: PageReport, at: datetime) -> None:
    page.format = report.format[:32]
    page.status = Status(report.status.value)
    page.readable = True
    page.problem, page.problem_values = "", {}
    page.description = report.description[:300]
    page.components = [
        {"name": one.name, "group": one.group, "status": one.status.value, "mapped": one.mapped}
        for one in report.components
    ]
    page.read_at = at
    page.updated_at = report.updated_at


def _unreadable(page: VendorPage, problem: str, values: dict[str, Any]) -> None:
    page.status = Status.UNKNOWN
    page.readable = False
    page.problem = problem[:300]
    page.problem_values = values


def _keep_incidents(provider_id: UUID, report: PageReport, at: datetime) -> None:
    """Insert or update what the page tells; an open one it no longer tells of is over. Two statements at most."""
    rows = {one.id[:200]: _row(provider_id, one, at) for one in report.incidents if one.id}
    VendorIncident.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["provider", "external_id"],
        # Not the beginning: feeds date an entry anew with every update of it.
        update_fields=["name", "status", "phase", "resolved_at", "updated_at", "url"],
    )
    if report.whole:
        gone = VendorIncident.objects.filter(provider_id=provider_id, resolved_at__isnull=True)
        gone.exclude(external_id__in=list(rows)).update(resolved_at=at)


def _row(provider_id: UUID, incident: PageIncident, at: datetime) -> VendorIncident:
    # A beginning that lies ahead is a slip of the vendor's clock.
    said_at = min(incident.said_at, at) if incident.said_at is not None else None
    return VendorIncident(
        provider_id=provider_id,
        external_id=incident.id[:200],
        name=incident.name[:300],
        status=Status(incident.status.value),
        phase=incident.phase[:32],
        started_at=min(incident.started_at or said_at or incident.updated_at or at, at),
        resolved_at=incident.resolved_at,
        updated_at=incident.updated_at,
        url=incident.url[:500],
        said_at=said_at,
        seen_at=at,
    )


@transaction.atomic
def mark_silent(now: datetime) -> int:
    """Pages nobody has read for three intervals say nothing any more; returns how many. One query when none is."""
    reading = Q(provider__target__checks__kind=KIND, provider__target__checks__deleted_at__isnull=True)
    rows = VendorPage.objects.exclude(status=Status.UNKNOWN).filter(looked_at__lt=now - STALE_AT_LEAST)
    interval = Max("provider__target__checks__interval_seconds", filter=reading, default=0)
    silent: list[tuple[UUID, datetime]] = []
    for provider_id, looked_at, seconds in rows.annotate(seconds=interval).values_list("pk", "looked_at", "seconds"):
        ran_out = looked_at + max(timedelta(seconds=STALE_INTERVALS * seconds), STALE_AT_LEAST) if looked_at else now
        if ran_out < now:
            silent.append((provider_id, ran_out))
    return sum(_silence(provider_id, at) for provider_id, at in silent)


def _silence(provider_id: UUID, at: datetime) -> bool:
    page = VendorPage.objects.select_for_update(of=("self",)).get(pk=provider_id)
    if page.status == Status.UNKNOWN or page.looked_at is None or page.looked_at > at:
        return False
    _unreadable(page, PageProblem.NOT_READ_LATELY.value, {})
    page.since = at
    VendorChange.objects.create(provider_id=provider_id, at=at, status=page.status)
    page.save(update_fields=_FIELDS)
    return True
