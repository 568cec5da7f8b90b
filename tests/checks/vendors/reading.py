"""Builders for stories about vendors' pages: a provider with one, and looks at it as the engine hands them over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.catalog.models import Provider
from apps.checks.models import Check, VendorPage
from apps.checks.vendors.services import follow_page
from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason
from apps.probes.vendor_pages.finding import read_page
from apps.probes.vendor_pages.judging import judge
from apps.probes.vendor_pages.problems import PageProblem
from apps.probes.vendor_pages.report import report_of
from tests.checks.looking import claim, record
from tests.factories import make_provider

URL = "https://status.example-ai.test"


def make_followed(url: str = URL, components: tuple[str, ...] = (), **fields: Any) -> Provider:
    """A provider whose page is followed; nothing was read yet."""
    provider = make_provider(**fields)
    return follow(provider, url, components)


def follow(provider: Provider, url: str = URL, components: tuple[str, ...] = ()) -> Provider:
    provider.status_page_url, provider.status_components = url, list(components)
    provider.save(update_fields=["status_page_url", "status_components"])
    follow_page(provider)
    return provider


def checks_of(provider: Provider) -> list[Check]:
    return list(Check.objects.present().filter(target_id=provider.pk, kind="vendor_status").order_by("pk"))


def page_of(provider: Provider) -> VendorPage:
    return VendorPage.objects.get(pk=provider.pk)


def summary(
    indicator: str = "none", incidents: tuple[dict[str, Any], ...] = (), components: dict[str, str] | None = None
) -> dict[str, Any]:
    """A Statuspage summary."""
    return {
        "page": {"id": "tymt9n04zgry", "name": "Example AI", "url": URL},
        "status": {"indicator": indicator, "description": f"It is {indicator}"},
        "components": [{"id": name, "name": name, "status": word} for name, word in (components or {}).items()],
        "incidents": list(incidents),
    }


def incident(
    identifier: str, said_at: datetime, *, phase: str = "investigating", impact: str = "major", **fields: Any
) -> dict[str, Any]:
    moment = said_at.isoformat()
    values = {"id": identifier, "name": f"Incident {identifier}", "status": phase, "impact": impact}
    return {**values, "created_at": moment, "updated_at": moment, "started_at": moment, **fields}


def read(provider: Provider, document: dict[str, Any], at: datetime, *, check: Check | None = None) -> None:
    """One look that found `document`, recorded."""
    check = check or checks_of(provider)[0]
    reading = read_page(json.dumps(document).encode(), at)[1]
    judged = judge(reading, provider.status_components, quiet_days=180, now=at)
    states = {"outage": OutcomeState.FAILED, "degraded": OutcomeState.DEGRADED}
    state = states.get(judged.status.value, OutcomeState.OK)
    reasons = {OutcomeState.FAILED: Reason.VENDOR_OUTAGE, OutcomeState.DEGRADED: Reason.VENDOR_DEGRADED}
    evidence = {"detail": judged.detail, "page": report_of(judged).to_evidence()}
    hand_over(check, state, reasons.get(state, Reason.OK), evidence, at)


def fail_to_read(provider: Provider, at: datetime, problem: PageProblem = PageProblem.HTML, **values: Any) -> None:
    """One look at a page that cannot be read, recorded."""
    evidence = {"problem": problem.value, "detail": problem.value, **values}
    check = checks_of(provider)[0]
    hand_over(check, OutcomeState.INDETERMINATE, Reason.VENDOR_PAGE_UNREADABLE, evidence, at)


def hand_over(check: Check, state: OutcomeState, reason: Reason, evidence: dict[str, Any], at: datetime) -> None:
    job = ProbeJob(
        check=str(check.pk),
        region="local",
        generation=claim(check),
        kind=check.kind,
        config={},
        timeout_seconds=15,
    )
    outcome = Outcome(state=state, reason=reason, evidence=evidence, duration_ms=40.0, started_at=at.timestamp())
    record(Finished(job=job, outcome=Outcome.from_wire(outcome.to_wire())))


def ago(minutes: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)
