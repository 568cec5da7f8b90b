"""The page of one check: what each region thinks, why the last decision fell, what was found, and how it is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may
from apps.catalog.crumbs import stand_in_list
from apps.catalog.models import Region
from apps.catalog.status import Status
from apps.checks.doubts import doubt_of_check
from apps.checks.models import Check, CheckResult, CheckRun, StateChange
from apps.checks.reasons import sentence
from apps.checks.region_cards import (
    STATUS_OF_OUTCOME,
    Seen,
    cards_of,
    decision_sentences,
    evidence_of,
    recent_results,
    result_url,
    rows_of,
)
from apps.checks.selectors import get_evidence, get_result, get_run, reason_of, verdict_of
from apps.checks.services import masked_config
from apps.checks.state import NO_QUORUM, NOT_MEASURED, OK
from apps.core import clock, kindconfig
from apps.core.durations import in_words
from apps.core.keyset import Column, page_of
from apps.core.panels import Panel
from apps.core.registry import UnknownEntry
from apps.probes.base import PROBE_KINDS, OutcomeState, ProbeKind

RESULTS_A_PAGE = 25
CHANGES_SHOWN = 3
_RESULT_ORDER = (Column("at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))


def get_check(request: PageRequest, check_id: UUID) -> Check:
    """The check with its target; Http404 outside the viewer's grants. One query."""
    rows = Check.objects.visible_to(request.user).present()
    related = ("status_row", "heartbeat", "target__namespace", "target__environment", "target__status_row")
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


def is_told(kind: ProbeKind[Any] | None) -> bool:
    """Whether checks of this kind are told how it is, instead of looking."""
    return kind is not None and kind.transport == "push"


# --- Verdict and decision -------------------------------------------------------------------------------------


def load_verdict(request: PageRequest, check: Check) -> dict[str, Any]:
    rows = rows_of(check)
    seen = recent_results(check, len(rows))
    verdict = verdict_of(check)
    latest_bad = seen.latest_bad
    return {
        "check": check,
        "verdict": verdict,
        "why": _verdict_sentence(check, verdict, seen),
        "regions": cards_of(check, rows, seen),
        "decision": decision_sentences(check, rows, verdict, reason_of(check)) if len(rows) > 1 else [],
        "latest_bad": latest_bad if verdict != Status.OPERATIONAL else None,
        "changes": changes_of(check),
    }


def _verdict_sentence(check: Check, verdict: Status, seen: Seen) -> str:
    reason = reason_of(check)
    if verdict in (Status.OPERATIONAL, Status.UNKNOWN) and check.enabled and reason in (OK, NOT_MEASURED):
        doubt = doubt_of_check(check.pk)
        if doubt is not None and doubt.contradicts(verdict):
            return doubt.counted
    if verdict == Status.OPERATIONAL and reason != NO_QUORUM:
        return _("The last look found what it expects.")
    return sentence(reason, seen.latest_with(reason))


def changes_of(check: Check) -> list[StateChange]:
    """The latest changes of the target's status that this check caused. One query."""
    rows = StateChange.objects.filter(target=check.target, source_check=check).select_related("source_check")
    rows = rows.order_by("-at", "-id")
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
    told = is_told(kind)
    return {
        "check": check,
        "kind": kind,
        "told": told,
        # What a heartbeat waits for is said in a sentence above; its fields would only say it again.
        "settings": [] if kind is None or told else _settings(kind, check, with_private=may_operate(request, check)),
        "regions": list(check.only_regions.values_list("name", flat=True)),
        "hidden": kind is not None and not told and not may_operate(request, check),
    }


def _settings(kind: ProbeKind[Any], check: Check, *, with_private: bool) -> list[Setting]:
    masked = masked_config(check) if with_private else kindconfig.without_private(kind.Config, check.config)
    settings = []
    for part in kindconfig.form_fields(kind.Config):
        value = masked.get(part.name, None if part.private else part.default)
        if value not in (None, "", [], {}):
            is_time = part.type == "duration"
            shown = in_words(value) if is_time else _shown(value, dict(part.choices))
            settings.append(Setting(part.label, shown, "" if is_time else part.unit))
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
