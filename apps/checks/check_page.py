"""The page of one check: what each region thinks, why the last decision fell, what was found, and how it is set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may
from apps.catalog.crumbs import stand_in_list
from apps.catalog.models import Region
from apps.catalog.status import Status
from apps.checks.models import Check, CheckEvidence, CheckRegion, CheckResult, CheckRun, StateChange
from apps.checks.reasons import sentence
from apps.checks.selectors import get_evidence, get_result, get_run, reason_of, verdict_of
from apps.checks.services import masked_config
from apps.core import clock, kindconfig
from apps.core.keyset import Column, page_of
from apps.core.panels import Panel
from apps.core.registry import UnknownEntry
from apps.probes.base import PROBE_KINDS, OutcomeState, ProbeKind

RESULTS_A_PAGE = 25
RECENT_OUTCOMES = 20
CHANGES_SHOWN = 3
_RESULT_ORDER = (Column("at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))


def get_check(request: PageRequest, check_id: UUID) -> Check:
    """The check with its target; Http404 outside the viewer's grants. One query."""
    rows = Check.objects.visible_to(request.user).present()
    related = ("status_row", "target", "target__environment", "target__status_row")
    check = rows.select_related(*related).filter(pk=check_id).first()
    if check is None:
        raise Http404
    stand_in_list(request, check.target.kind)
    return check


def may_operate(request: PageRequest, check: Check) -> bool:
    return may(request.user, Role.OPERATOR, check.target.environment_id)


def kind_of(check: Check) -> ProbeKind[Any] | None:
    """None for a kind this version does not know."""
    try:
        return PROBE_KINDS.get(check.kind)
    except UnknownEntry:
        return None


# --- Verdict and decision -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionView:
    """One region's opinion, its counters against the thresholds in words, and its latest outcomes, oldest first."""

    name: str
    row: CheckRegion
    why: str
    counted: str
    outcomes: list[OutcomeDot]


@dataclass(frozen=True)
class OutcomeDot:
    """One result as a mark in a row of them."""

    status: str
    label: str
    at: datetime
    url: str


# How an outcome looks beside statuses: the same shapes and colours.
STATUS_OF_OUTCOME = {
    OutcomeState.OK: Status.OPERATIONAL,
    OutcomeState.DEGRADED: Status.DEGRADED,
    OutcomeState.FAILED: Status.OUTAGE,
    OutcomeState.INDETERMINATE: Status.UNKNOWN,
}


def load_verdict(request: PageRequest, check: Check) -> dict[str, Any]:
    regions = _regions(check)
    recent = _recent_results(check)
    evidence = evidence_of(check, recent)
    latest_bad = next((result for result in recent if result.id in evidence and result.state != OutcomeState.OK), None)
    verdict = verdict_of(check)
    return {
        "check": check,
        "verdict": verdict,
        "why": _verdict_sentence(check, verdict, latest_bad, evidence),
        "regions": [_region_view(check, row, name, recent, latest_bad, evidence) for row, name in regions],
        "latest_bad": latest_bad if verdict != Status.OPERATIONAL else None,
        "changes": _changes(check),
    }


def _verdict_sentence(
    check: Check, verdict: Status, latest: CheckResult | None, evidence: dict[UUID, dict[str, Any]]
) -> str:
    reason = reason_of(check)
    if verdict == Status.OPERATIONAL:
        return _("The last look found what it expects.")
    matches = latest is not None and latest.reason == reason
    return sentence(reason, evidence[latest.id] if latest is not None and matches else {})


def _regions(check: Check) -> list[tuple[CheckRegion, str]]:
    rows = check.regions.select_related("region").filter(region__enabled=True).order_by("region__slug")
    return [(row, row.region.name) for row in rows]


def _recent_results(check: Check) -> list[CheckResult]:
    """The latest results of all regions, newest first. One query over an index."""
    return list(CheckResult.objects.filter(check_id=check.pk).order_by("-at", "-id")[:RECENT_OUTCOMES])


def evidence_of(check: Check, results: Iterable[CheckResult]) -> dict[UUID, dict[str, Any]]:
    """What each of these looks saw, by result id; those that kept nothing are left out. One query."""
    found = list(results)
    if not found:
        return {}
    rows = CheckEvidence.objects.filter(
        check_id=check.pk,
        at__gte=min(result.at for result in found),
        at__lte=max(result.at for result in found),
        id__in=[result.id for result in found],
    )
    return {row.id: row.evidence for row in rows}


def _region_view(
    check: Check,
    row: CheckRegion,
    name: str,
    recent: list[CheckResult],
    latest_bad: CheckResult | None,
    evidence: dict[UUID, dict[str, Any]],
) -> RegionView:
    own = [result for result in recent if result.region_id == row.region_id]
    matches = latest_bad is not None and latest_bad.reason == row.reason
    seen = evidence[latest_bad.id] if latest_bad is not None and matches else {}
    return RegionView(
        name=name,
        row=row,
        why="" if row.verdict == Status.OPERATIONAL else sentence(row.reason, seen),
        counted=counted(check, row),
        outcomes=[_dot(check, result) for result in reversed(own)],
    )


def _dot(check: Check, result: CheckResult) -> OutcomeDot:
    state = OutcomeState(result.state)
    return OutcomeDot(STATUS_OF_OUTCOME[state].value, str(state.label), result.at, result_url(check, result.id))


def result_url(check: Check, identifier: UUID) -> str:
    return reverse("checks:result", args=[check.pk, identifier])


def counted(check: Check, row: CheckRegion) -> str:
    """The counters against the thresholds: why the verdict stands, or how far it is from changing."""
    words = {
        "failures": row.failures,
        "degradations": row.degradations,
        "successes": row.successes,
        "failure_threshold": check.failure_threshold,
        "recovery_threshold": check.recovery_threshold,
    }
    if row.verdict == Status.OUTAGE and row.failures:
        text = ngettext(
            "%(failures)s look in a row failed; %(failure_threshold)s make an outage.",
            "%(failures)s looks in a row failed; %(failure_threshold)s make an outage.",
            row.failures,
        )
    elif row.verdict in (Status.OUTAGE, Status.DEGRADED) and row.successes:
        text = ngettext(
            "%(successes)s look in a row was good; %(recovery_threshold)s make a recovery.",
            "%(successes)s looks in a row were good; %(recovery_threshold)s make a recovery.",
            row.successes,
        )
    elif row.degradations:
        text = ngettext(
            "%(degradations)s look in a row was not good; %(failure_threshold)s make a change.",
            "%(degradations)s looks in a row were not good; %(failure_threshold)s make a change.",
            row.degradations,
        )
    elif row.successes:
        text = ngettext(
            "%(successes)s look in a row was good; %(failure_threshold)s failures in a row make an outage.",
            "%(successes)s looks in a row were good; %(failure_threshold)s failures in a row make an outage.",
            row.successes,
        )
    else:
        return _("No look has counted yet.")
    return text % words


def _changes(check: Check) -> list[StateChange]:
    """The latest changes of the target's status that this check caused. One query."""
    rows = StateChange.objects.filter(target=check.target, source_check=check).order_by("-at", "-id")
    return list(rows[:CHANGES_SHOWN])


# --- Results --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ResultRow:
    """One result with its sentence, its region's name and the shape of its outcome."""

    result: CheckResult
    status: str
    label: str
    why: str
    region: str
    url: str


def load_results(request: PageRequest, check: Check) -> dict[str, Any]:
    """One page of results, newest first. Three queries."""
    wanted = request.GET.get("outcome", "")
    wanted = wanted if wanted in list(OutcomeState) else ""
    rows = CheckResult.objects.filter(check_id=check.pk)
    if wanted:
        rows = rows.filter(state=wanted)
    page = page_of(rows, _RESULT_ORDER, request.GET.get("cursor", ""), RESULTS_A_PAGE)
    evidence = evidence_of(check, (result for result in page.rows if result.state != OutcomeState.OK))
    regions = dict(Region.objects.values_list("pk", "name"))
    return {
        "check": check,
        "rows": [result_row(check, result, evidence.get(result.id, {}), regions) for result in page.rows],
        "next": page.next,
        "previous": page.previous,
        "outcome": wanted,
        "outcomes": [(state.value, state.label) for state in OutcomeState],
        "shows_region": len(regions) > 1,
    }


def result_row(check: Check, result: CheckResult, evidence: dict[str, Any], regions: dict[UUID, str]) -> ResultRow:
    state = OutcomeState(result.state)
    return ResultRow(
        result=result,
        status=STATUS_OF_OUTCOME[state].value,
        label=str(state.label),
        why=sentence(result.reason, evidence),
        region=regions.get(result.region_id, ""),
        url=result_url(check, result.id),
    )


def load_result(check: Check, identifier: UUID) -> dict[str, Any] | None:
    """One result with everything that was seen; None when there is none (any more). Three queries."""
    result = get_result(check, identifier)
    if result is None:
        return None
    evidence = get_evidence(result)
    regions = dict(Region.objects.values_list("pk", "name"))
    return {
        "check": check,
        "result": result,
        "row": result_row(check, result, evidence, regions),
        "evidence": evidence,
        "shows_region": len(regions) > 1,
    }


# --- A run somebody asked for -----------------------------------------------------------------------------------


def load_run(check: Check, identifier: UUID) -> dict[str, Any]:
    """A run: `state` is pending, done or lost (its time is up and nothing came back). Http404 for another's."""
    run = get_run(check, identifier)
    found = load_result(check, identifier)
    if found is not None:
        return {**found, "run": run, "state": "done", "url": result_url(check, identifier)}
    if run is None:
        raise Http404
    return {"check": check, "run": run, "state": "pending" if _is_awaited(run) else "lost"}


def _is_awaited(run: CheckRun) -> bool:
    return run.finished_at is None and run.expires_at > clock.now()


# --- How it is set --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One value of the config as people may see it."""

    label: Any
    value: Any
    unit: Any = ""


def load_config(request: PageRequest, check: Check) -> dict[str, Any]:
    """The config, masked; without request headers and bodies for those who may only read."""
    kind = kind_of(check)
    return {
        "check": check,
        "kind": kind,
        "settings": [] if kind is None else _settings(kind, check, with_private=may_operate(request, check)),
        "hidden": kind is not None and not may_operate(request, check),
    }


def _settings(kind: ProbeKind[Any], check: Check, *, with_private: bool) -> list[Setting]:
    masked = masked_config(check) if with_private else kindconfig.without_private(kind.Config, check.config)
    settings = []
    for part in kindconfig.form_fields(kind.Config):
        value = masked.get(part.name, None if part.private else part.default)
        if value not in (None, "", [], {}):
            settings.append(Setting(part.label, _shown(value, dict(part.choices)), part.unit))
    return settings


def _shown(value: Any, choices: dict[str, Any]) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list):
        return "\n".join(_condition(entry) if isinstance(entry, dict) else str(entry) for entry in value)
    return choices.get(str(value), value)


def _condition(entry: dict[str, Any]) -> str:
    return " ".join(str(entry[name]) for name in ("field", "operator", "value") if entry.get(name) is not None)


PANELS = (
    Panel("verdict", "checks/_verdict.html", load_verdict, "check,target"),
    Panel("config", "checks/_config.html", load_config, "check.changed"),
    Panel("results", "checks/_results.html", load_results, "check.result", hold=True),
)
