"""The overview: what is wrong, since when, how we know, and who has it. Each panel is read on its own.

Numbers come from `get_summary` and from nowhere else, so that they are the same as in the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may
from apps.catalog.models import AIModel, Provider, Target, TargetKind
from apps.catalog.scope import scope_of
from apps.catalog.selectors import list_providers, list_targets
from apps.catalog.status import Status
from apps.checks import glance
from apps.checks.models import Incident, StateChange
from apps.checks.reasons import sentence
from apps.checks.selectors import (
    WrongNow,
    get_last_problem,
    get_summary,
    list_open_incidents,
    list_recent_changes,
    list_wrong_now,
)
from apps.core.panels import Panel
from apps.dashboard.ai.cards import ProviderFigures, figures_of
from apps.dashboard.health import judge
from apps.dashboard.parts import Part
from apps.dashboard.probing import notices_of
from apps.dashboard.readings import readings_of
from apps.dashboard.rows import TargetRow, by_name, evidence_for, rows_of, urgency
from apps.dashboard.telling import channel_notices

# What a page shows before it refers to the list: the rest is one click away, and the worst always stands first.
PROVIDERS_SHOWN = 8
MODELS_SHOWN = 5
SERVICES_SHOWN = 10
WRONG_SHOWN = 20
CHANGES_SHOWN = 15
INCIDENTS_SHOWN = 10


def summary_of(request: PageRequest) -> dict[str, Any]:
    """The counts in the environment the page is about; read once a request, so that its panels cannot disagree."""
    known: dict[str, Any] | None = getattr(request, "_portal_summary", None)
    if known is None:
        known = get_summary(request.user, environment_id(request))
        request._portal_summary = known  # type: ignore[attr-defined]
    return known


def environment_id(request: PageRequest) -> UUID | None:
    environment = scope_of(request).environment
    return environment.pk if environment is not None else None


# --- The verdict ----------------------------------------------------------------------------------------------

_WORST_FIRST = (Status.OUTAGE, Status.DEGRADED, Status.UNKNOWN, Status.MAINTENANCE)


def load_verdict(request: PageRequest) -> dict[str, Any]:
    summary = summary_of(request)
    counts = summary["targets"]
    worst = next((status for status in _WORST_FIRST if counts[status]), Status.OPERATIONAL)
    return {
        "status": worst if counts["total"] else Status.UNKNOWN,
        "sentence": verdict_sentence(counts),
        "as_of": datetime.fromisoformat(summary["as_of"]),
        "problems": counts[Status.OUTAGE] + counts[Status.DEGRADED],
    }


def verdict_sentence(counts: dict[str, int]) -> str:
    """ "All 38 targets operational", or "2 in outage, 1 degraded, 3 unknown of 38 targets"."""
    total = counts["total"]
    if not total:
        return _("Nothing is watched yet")
    if counts[Status.OPERATIONAL] == total:
        return ngettext("The one target is operational", "All %(total)s targets operational", total) % {"total": total}
    phrases = {
        Status.OUTAGE: _("%(number)s in outage"),
        Status.DEGRADED: _("%(number)s degraded"),
        Status.UNKNOWN: _("%(number)s unknown"),
        Status.MAINTENANCE: _("%(number)s in maintenance"),
    }
    parts = [phrases[status] % {"number": counts[status]} for status in _WORST_FIRST if counts[status]]
    words = {"parts": ", ".join(parts), "total": total}
    return ngettext("%(parts)s of %(total)s target", "%(parts)s of %(total)s targets", total) % words


# --- Counts ---------------------------------------------------------------------------------------------------


def load_counts(request: PageRequest) -> dict[str, Any]:
    return {"summary": summary_of(request)}


# --- Wrong now ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WrongRow:
    """A target that is not well, and why by what was seen last."""

    entry: WrongNow
    why: str
    may_acknowledge: bool

    @property
    def target(self) -> Target:
        return self.entry.target

    @property
    def incident(self) -> Incident | None:
        return self.entry.incident


def load_wrong(request: PageRequest) -> dict[str, Any]:
    environment = environment_id(request)
    entries = list_wrong_now(request.user, environment, limit=WRONG_SHOWN + 1)
    counts = summary_of(request)["targets"]
    seen = glance.get_last_seen(entry.target.status_row.cause_check for entry in entries)
    rows = [_wrong_row(request, entry, seen) for entry in entries[:WRONG_SHOWN]]
    return {
        "rows": rows,
        "total": counts["outage"] + counts["degraded"],
        "unknown": counts["unknown"],
        "last_problem": None if rows else _last_problem(request, environment),
    }


@dataclass(frozen=True)
class LastProblem:
    """The incident that ended last, and how long it lasted in seconds."""

    incident: Incident
    lasted: float

    @property
    def target(self) -> Target:
        return self.incident.target


def _last_problem(request: PageRequest, environment: UUID | None) -> LastProblem | None:
    incident = get_last_problem(request.user, environment)
    if incident is None or incident.resolved_at is None:
        return None
    return LastProblem(incident, (incident.resolved_at - incident.opened_at).total_seconds())


def _wrong_row(request: PageRequest, entry: WrongNow, seen: dict[UUID, glance.Seen]) -> WrongRow:
    waits = entry.incident is not None and entry.incident.acknowledged_at is None
    return WrongRow(
        entry=entry,
        why=sentence(entry.reason, evidence_for(entry.target, seen) or entry.evidence),
        may_acknowledge=waits and may(request.user, Role.OPERATOR, entry.target.environment_id),
    )


# --- Providers and services -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProviderCard:
    """A provider with the models that stand first: the worst, then by name. `hidden` more are in the list."""

    provider: Provider
    row: TargetRow
    models: list[TargetRow]
    total: int
    figures: ProviderFigures

    @property
    def hidden(self) -> int:
        return self.total - len(self.models)


def load_providers(request: PageRequest) -> dict[str, Any]:
    environment = environment_id(request)
    providers = list_providers(request.user).select_related("vendor_page")
    if environment is not None:
        providers = providers.filter(target__environment_id=environment)
    shown = list(providers.order_by(urgency("target__"), by_name("target__"), "pk")[:PROVIDERS_SHOWN])
    if not shown:
        return {"cards": [], "hidden": 0}
    models = _first_models(shown)
    beside = _services(request) if _is_whole(request) else []
    targets = [*(provider.target for provider in shown), *(model.target for model in models), *beside]
    rows = {row.target.pk: row for row in rows_of(targets, bars=True, medians=True, facts=True)}
    request._portal_service_rows = [rows[target.pk] for target in beside]  # type: ignore[attr-defined]
    figures = figures_of(shown)
    cards = [_card(provider, rows, models, figures[provider.pk]) for provider in shown]
    total = summary_of(request)["providers"]["total"]
    return {"cards": cards, "hidden": max(0, total - len(shown))}


def _is_whole(request: PageRequest) -> bool:
    """Whether all panels are drawn for this request: then providers and services are read together."""
    return not request.path.startswith(reverse("dashboard:overview-fragment", args=["x"]).removesuffix("x/"))


def _card(
    provider: Provider, rows: Mapping[UUID, TargetRow], models: Iterable[Any], figures: ProviderFigures
) -> ProviderCard:
    own = [model for model in models if model.provider_id == provider.pk]
    return ProviderCard(
        provider=provider,
        row=rows[provider.pk],
        models=[rows[model.pk] for model in own],
        total=own[0].siblings if own else 0,
        figures=figures,
    )


def _first_models(providers: Iterable[Provider]) -> list[AIModel]:
    """The first few models of each provider, the worst first; `siblings` is how many it has. One query."""
    place = Window(RowNumber(), partition_by=[F("provider")], order_by=[urgency("target__"), by_name("target__")])
    siblings = Window(Count("pk"), partition_by=[F("provider")])
    rows = (
        AIModel.objects.present()
        .filter(provider__in=[provider.pk for provider in providers])
        .select_related("target__status_row", "target__namespace")
        .annotate(place=place, siblings=siblings)
        .filter(place__lte=MODELS_SHOWN)
        .order_by("provider", "place")
    )
    return list(rows)


def load_services(request: PageRequest) -> dict[str, Any]:
    rows: list[TargetRow] = getattr(request, "_portal_service_rows", [])
    if not rows:
        rows = rows_of(_services(request), bars=True, medians=True)
    total = summary_of(request)["services"]["total"]
    return {"rows": rows, "hidden": max(0, total - len(rows))}


def _services(request: PageRequest) -> list[Target]:
    """Those that stand first: the worst, then by name. One query."""
    services = list_targets(request.user, environment_id(request)).filter(kind=TargetKind.SERVICE)
    return list(services.order_by(urgency(), by_name(), "pk")[:SERVICES_SHOWN])


# --- What happened --------------------------------------------------------------------------------------------


def load_changes(request: PageRequest) -> dict[str, Any]:
    changes = list_recent_changes(request.user, environment_id(request), limit=CHANGES_SHOWN)
    return {"entries": [change_entry(change) for change in changes]}


def change_entry(change: StateChange) -> dict[str, Any]:
    """A change of status as the timeline shows it: the target, what it became, and why."""
    well = change.to_status == Status.OPERATIONAL
    words = {"target": change.target.full_name, "status": Status(change.to_status).label}
    return {
        "at": change.at,
        "title": _("%(target)s: %(status)s") % words,
        "status": change.to_status,
        "url": _url_of(change),
        "text": "" if well else sentence(change.reason, change.evidence),
    }


def _url_of(change: StateChange) -> str:
    """Its incident, where it belongs to one; by id, so that no row is read for it."""
    if change.incident_id is None:
        return change.target.get_absolute_url()
    return reverse("dashboard:incident", args=[change.incident_id])


@dataclass(frozen=True)
class IncidentLine:
    """An open incident and why."""

    incident: Incident
    why: str


def load_incidents(request: PageRequest) -> dict[str, Any]:
    found = list_open_incidents(request.user, environment_id(request), limit=INCIDENTS_SHOWN)
    rows = [IncidentLine(incident, sentence(incident.reason, incident.evidence)) for incident in found]
    total = summary_of(request)["incidents"]["open"]
    return {"rows": rows, "total": total, "hidden": max(0, total - len(rows))}


# --- The portal itself ----------------------------------------------------------------------------------------

PART_NAMES: dict[str, Any] = {
    "database": gettext_lazy("PostgreSQL"),
    "valkey": gettext_lazy("Valkey"),
    "worker": gettext_lazy("Worker"),
    "beat": gettext_lazy("Tick"),
    "probing": gettext_lazy("Probing"),
    "outbox": gettext_lazy("Outbox"),
    "notifications": gettext_lazy("Notifications"),
}


def named_parts(parts: Mapping[str, Part]) -> list[tuple[Any, Part]]:
    return [(PART_NAMES.get(name, name), part) for name, part in parts.items()]


def load_health(request: PageRequest) -> dict[str, Any]:
    return {"parts": named_parts(judge(readings_of(request)))}


def load_notices(request: PageRequest) -> dict[str, Any]:
    """What is wrong with the telling and the looking themselves: said here, because no target can say it."""
    if not access_of(request.user).allows_somewhere(Role.VIEWER):
        return {"notices": []}
    looking = readings_of(request).looking
    telling = channel_notices(request.user, environment_id(request))
    return {"notices": [*telling, *(notices_of(looking) if looking is not None else [])]}


PANELS = (
    Panel("verdict", "dashboard/_verdict.html", load_verdict, "summary"),
    Panel("notices", "dashboard/_notices.html", load_notices, "summary,region", every=15),
    Panel("counts", "dashboard/_counts.html", load_counts, "summary"),
    Panel("wrong", "dashboard/_wrong.html", load_wrong, "target,incident", hold=True),
    Panel("providers", "dashboard/_providers.html", load_providers, "target", hold=True),
    Panel("services", "dashboard/_services.html", load_services, "target", hold=True),
    Panel("changes", "dashboard/_changes.html", load_changes, "target.status"),
    Panel("incidents", "dashboard/_incidents.html", load_incidents, "incident", hold=True),
    Panel("health", "dashboard/_health.html", load_health, "summary,region", every=30),
)
