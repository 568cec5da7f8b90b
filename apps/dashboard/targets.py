"""The page of one target: how it stands and why, its past, its checks, its incidents, and what it leans on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may
from apps.catalog.crumbs import crumbs_to, list_of, stand_in_list
from apps.catalog.models import AIModel, Target, TargetKind
from apps.catalog.refusals import refusal_of
from apps.catalog.selectors import get_drift
from apps.catalog.status import Status
from apps.checks import glance, history
from apps.checks.ai import rungs
from apps.checks.ai.selectors import ModelFacts
from apps.checks.charts import RANGE_LABELS, RANGES, range_of
from apps.checks.doubts import Doubt, doubts_of, worst_of
from apps.checks.models import Check, Incident, StateChange
from apps.checks.reasons import sentence
from apps.checks.selectors import CheckCard, list_checks_of
from apps.core.panels import Panel
from apps.dashboard.explaining import Explanation, explanations_of
from apps.dashboard.incidents import incidents_url, row_of
from apps.dashboard.rows import evidence_for, rows_of, urgency

INCIDENTS_SHOWN = 10
CHANGES_SHOWN = 20
RELATED_SHOWN = 50
MODELS_SHOWN = 100


def get_target(request: PageRequest, identifier: UUID) -> Target:
    """The target with its status and what its kind adds; Http404 outside the viewer's grants. One query."""
    rows = Target.objects.visible_to(request.user).present()
    related = ("status_row", "environment", "provider", "service", "model__provider", "namespace")
    target = rows.select_related(*related).filter(pk=identifier).first()
    if target is None:
        raise Http404
    stand_in_list(request, target.kind)
    return target


def checks_of(target: Target) -> list[Check]:
    """The target's checks with their verdicts; read once for the target in hand. One query."""
    known: list[Check] | None = getattr(target, "_portal_checks", None)
    if known is None:
        rows = Check.objects.filter(target=target, deleted_at__isnull=True).select_related("status_row")
        known = list(rows.order_by("pk"))
        target._portal_checks = known  # type: ignore[attr-defined]
    return known


def may_operate(request: PageRequest, target: Target) -> bool:
    return may(request.user, Role.OPERATOR, target.environment_id)


def frame_of(target: Target) -> dict[str, Any]:
    """What the page says around its panels: where it is, its link, and what deleting it would take away."""
    details = getattr(target, "service", None)
    text = _("It leaves every list at once, nothing looks at it any more, and its open incident closes.")
    if target.kind == TargetKind.PROVIDER:
        text = _("It and all its models leave every list at once, and nothing looks at them any more.")
    return {
        "crumbs": crumbs_to(target),
        "list_url": list_of(target.kind)[1],
        "link": _web_link(target),
        "description": details.description if details is not None else "",
        "delete_title": _("Delete %(name)s") % {"name": target.name},
        "delete_text": text,
    }


def _web_link(target: Target) -> str:
    """Where a person finds it; only what a browser opens safely."""
    details = getattr(target, "service", None) or getattr(target, "provider", None)
    link: str = getattr(details, "url", "") or getattr(details, "base_url", "")
    return link if link.startswith(("http://", "https://")) else ""


# --- How it stands --------------------------------------------------------------------------------------------


def load_status(request: PageRequest, target: Target, facts: ModelFacts | None = None) -> dict[str, Any]:
    """`facts` are a model's."""
    seen = glance.get_last_seen([target.status_row.cause_check])
    explained = explanations_of([target], {target.pk: facts} if facts else {}).get(target.pk)
    cause = seen.get(target.status_row.cause_check) if target.status_row.cause_check else None
    well = target.status_row.status == Status.OPERATIONAL
    incident = Incident.objects.filter(target=target).open().select_related("acknowledged_by").first()
    return {
        "target": target,
        "why": _why(target, seen, explained),
        "cause": None if well else cause,
        "doubt": explained.doubt if explained else None,
        "incident": incident,
        "unmeasured": _unmeasured(checks_of(target)) if well or incident else "",
        "may_operate": may_operate(request, target),
    }


def _why(target: Target, seen: dict[UUID, glance.Seen], explained: Explanation | None) -> str:
    if not target.enabled:
        return _("Paused: nothing looks at this target.")
    row = target.status_row
    if explained is not None:
        return explained.text
    if row.status == Status.OPERATIONAL:
        return _("Every check that was measured found what it expects.")
    return sentence(row.reason, evidence_for(target, seen))


def _unmeasured(checks: list[Check]) -> str:
    """ "1 of 3 checks not measured": said beside a status that only the others decide."""
    counting = [check for check in checks if check.enabled and check.affects_status]
    silent = [check for check in counting if _verdict(check) == Status.UNKNOWN]
    if not silent or len(silent) == len(counting):
        return ""
    words = {"number": len(silent), "total": len(counting)}
    return (
        ngettext(
            "%(number)s of %(total)s check not measured", "%(number)s of %(total)s checks not measured", words["total"]
        )
        % words
    )


def _verdict(check: Check) -> str:
    row = getattr(check, "status_row", None)
    return row.verdict if row is not None else Status.UNKNOWN.value


# --- The past -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UptimeFigure:
    """Uptime over one window, 0..1 (None: nothing was measured), and how long that is measured at all."""

    window: str
    label: str
    ratio: float | None
    measured_seconds: float


def load_uptime(request: PageRequest, target: Target) -> dict[str, Any]:
    preset = range_of(request.GET)
    labels = {"24h": _("Uptime 24 h"), "7d": _("Uptime 7 d"), "30d": _("Uptime 30 d")}
    reports = history.get_uptime_windows(target.pk)
    return {
        "target": target,
        "label": _("Status over %(period)s") % {"period": dict(RANGE_LABELS)[preset]},
        "segments": history.get_history_bars([target.pk], RANGES[preset], _segments(RANGES[preset]))[target.pk],
        "figures": [
            UptimeFigure(name, labels[name], reports[name].ratio, reports[name].measured_seconds) for name in labels
        ],
    }


def _segments(window: timedelta) -> int:
    """Segments of whole quarters of an hour, hours or days: what a reader can name."""
    return {timedelta(hours=1): 60, timedelta(days=1): 96, timedelta(days=7): 84, timedelta(days=30): 90}[window]


# --- Checks ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckRow:
    """A check with the sentence of its verdict, or of what its looks say against it."""

    card: CheckCard
    why: str

    @property
    def is_canary(self) -> bool:
        return rungs.is_canary(self.card.check.kind)


def load_checks(request: PageRequest, target: Target) -> dict[str, Any]:
    cards = list_checks_of(target)
    known = doubts_of([target.pk]).get(target.pk)
    doubts = known.found if known else []
    rows = [
        CheckRow(card, _check_why(card, worst_of(doubt for doubt in doubts if doubt.check_id == card.check.pk)))
        for card in cards
    ]
    return {"target_id": str(target.pk), "rows": rows, "may_operate": may_operate(request, target)}


def _check_why(card: CheckCard, doubt: Doubt | None) -> str:
    if doubt is not None and doubt.contradicts(card.verdict):
        return doubt.counted
    if card.verdict == Status.OPERATIONAL:
        return ""
    same = card.latest is not None and card.latest.reason == card.reason
    return sentence(card.reason, card.evidence if same else {})


# --- What happened --------------------------------------------------------------------------------------------


def load_incidents(request: PageRequest, target: Target) -> dict[str, Any]:
    incidents = Incident.objects.filter(target=target).order_by("-opened_at")[:INCIDENTS_SHOWN]
    return {"rows": [row_of(incident) for incident in incidents], "list_url": incidents_url(target)}


def load_changes(request: PageRequest, target: Target) -> dict[str, Any]:
    rows = StateChange.objects.filter(target=target).select_related("source_check").order_by("-at", "-id")
    return {"target": target, "changes": list(rows[:CHANGES_SHOWN])}


# --- What it leans on, and what leans on it ---------------------------------------------------------------------


def load_related(request: PageRequest, target: Target) -> dict[str, Any]:
    present = Target.objects.visible_to(request.user).present().select_related("status_row", "namespace")
    return {
        "target": target,
        "parents": list(present.filter(dependents=target).order_by("name")[:RELATED_SHOWN]),
        "children": list(present.filter(depends_on=target).order_by("name")[:RELATED_SHOWN]),
    }


def load_models(request: PageRequest, target: Target) -> dict[str, Any]:
    """A provider's models, and how its own list differs from ours."""
    if target.kind != TargetKind.PROVIDER:
        raise Http404
    models = (
        AIModel.objects.present()
        .filter(provider=target.provider)
        .select_related("target__status_row", "target__namespace")
        .order_by(urgency("target__"), "target__name")[: MODELS_SHOWN + 1]
    )
    rows = rows_of([model.target for model in models[:MODELS_SHOWN]], bars=True, medians=True, facts=True)
    return {
        "target": target,
        "rows": rows,
        "more": len(models) > MODELS_SHOWN,
        "drift": get_drift(target.provider),
        "refusal": refusal_of(target.provider),
        "may_operate": may_operate(request, target),
    }


STATUS = Panel("status", "dashboard/target/_status.html", load_status, "target,incident,check.result")
COMMON = (
    STATUS,
    Panel("uptime", "dashboard/target/_uptime.html", load_uptime, "target.status"),
    Panel("checks", "dashboard/target/_checks.html", load_checks, "target,check", hold=True),
    Panel("incidents", "dashboard/target/_incidents.html", load_incidents, "target.status,incident"),
    Panel("changes", "dashboard/target/_changes.html", load_changes, "target.status"),
    Panel("related", "dashboard/target/_related.html", load_related, "target.status"),
)
_MODELS = Panel("models", "dashboard/target/_models.html", load_models, "target", hold=True, every=60)
PANELS = (*COMMON, _MODELS)
