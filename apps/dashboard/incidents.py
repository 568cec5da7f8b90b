"""Incidents: the list, and the page of one with its timeline, its evidence and what people may do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import Http404, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may
from apps.accounts.models import User
from apps.alerts.models import Notification
from apps.catalog.models import Target
from apps.catalog.scope import PARAMETER
from apps.catalog.status import Status
from apps.checks.models import Incident, IncidentEvent, StateChange
from apps.checks.reasons import sentence
from apps.core import clock
from apps.core.keyset import Column, Page, page_of
from apps.core.panels import Panel

PAGE_SIZE = 50
CHANGES_SHOWN = 50
_ORDER = (
    Column("is_over", int),
    Column("opened_at", datetime.fromisoformat, descending=True),
    Column("id", UUID, descending=True),
)
STATES: list[tuple[str, Any]] = [
    ("open", gettext_lazy("Open")),
    ("acknowledged", gettext_lazy("Acknowledged")),
    ("resolved", gettext_lazy("Resolved")),
]


# --- The list -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class IncidentFilters:
    """What somebody asked for; anything else in the URL is left out. `target` is an id."""

    state: str = ""
    severity: str = ""
    target: str = ""
    cursor: str = ""
    # Only carried along; `scope_of` reads it.
    environment: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> IncidentFilters:
        state, severity = query.get("state", ""), query.get("severity", "")
        return cls(
            state=state if state in dict(STATES) else "",
            severity=severity if severity in Incident.Severity.values else "",
            target=_uuid(query.get("target", "")),
            cursor=query.get("cursor", ""),
            environment=query.get(PARAMETER, "")[:64],
        )

    @property
    def is_active(self) -> bool:
        return bool(self.state or self.severity or self.target)

    @property
    def kept(self) -> dict[str, str]:
        """What the filter bar carries along without a field of its own."""
        named = {"target": self.target, PARAMETER: self.environment}
        return {name: value for name, value in named.items() if value}

    def query(self, **changes: Any) -> str:
        changed = replace(self, **{"cursor": "", **changes})
        named = {"state": changed.state, "severity": changed.severity, **changed.kept}
        return urlencode({name: value for name, value in named.items() if value})


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def list_incidents(user: User, filters: IncidentFilters, environment: UUID | None) -> Page[Incident]:
    """Open ones first, then the latest. One query."""
    rows = _filtered(user, filters, environment).select_related(
        "target__namespace", "target__environment", "acknowledged_by"
    )
    over = Case(When(resolved_at__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    return page_of(rows.annotate(is_over=over), _ORDER, filters.cursor, PAGE_SIZE)


def _filtered(user: User, filters: IncidentFilters, environment: UUID | None) -> QuerySet[Incident]:
    rows: QuerySet[Incident] = Incident.objects.visible_to(user).filter(target__deleted_at__isnull=True)
    by_state: dict[str, dict[str, bool]] = {
        "open": {"resolved_at__isnull": True},
        "acknowledged": {"resolved_at__isnull": True, "acknowledged_at__isnull": False},
        "resolved": {"resolved_at__isnull": False},
    }
    rows = rows.filter(**by_state.get(filters.state, {}))
    if filters.severity:
        rows = rows.filter(severity=filters.severity)
    if filters.target:
        rows = rows.filter(target_id=filters.target)
    return rows.filter(target__environment_id=environment) if environment is not None else rows


def filtered_target(user: User, filters: IncidentFilters) -> Target | None:
    """The target the list is narrowed to, for its full name. One query when there is one."""
    rows = Target.objects.visible_to(user).select_related("namespace")
    return rows.filter(pk=filters.target).first() if filters.target else None


@dataclass(frozen=True)
class IncidentRow:
    """An incident, why, and how long it lasted (until now, while it is open) in seconds."""

    incident: Incident
    why: str
    lasted: float
    may_acknowledge: bool = False


def row_of(incident: Incident, user: User | None = None) -> IncidentRow:
    """`user`: who is offered to acknowledge it, where it waits for somebody."""
    end = incident.resolved_at or clock.now()
    lasted = (end - incident.opened_at).total_seconds()
    waits = user is not None and incident.resolved_at is None and incident.acknowledged_at is None
    return IncidentRow(
        incident,
        sentence(incident.reason, incident.evidence),
        lasted,
        may_acknowledge=waits and may(user, Role.OPERATOR, incident.target.environment_id),
    )


# --- One incident ---------------------------------------------------------------------------------------------


def get_incident(request: PageRequest, identifier: UUID) -> Incident:
    """Http404 outside the viewer's grants. One query."""
    rows = Incident.objects.visible_to(request.user).filter(target__deleted_at__isnull=True)
    related = (
        *("target__namespace", "target__environment", "target__status_row"),
        *("acknowledged_by", "previous", "source_check"),
    )
    incident = rows.select_related(*related).filter(pk=identifier).first()
    if incident is None:
        raise Http404
    return incident


def is_failing(incident: Incident) -> bool:
    """Whether its target is still not well: resolving then takes a decision of its own."""
    return incident.target.status_row.status in (Status.DEGRADED, Status.OUTAGE)


def load_state(request: PageRequest, incident: Incident) -> dict[str, Any]:
    told = dict(
        Notification.objects.visible_to(request.user)
        .filter(incident=incident)
        .values("state")
        .annotate(number=Count("pk"))
        .values_list("state", "number")
    )
    return {
        "incident": incident,
        "target": incident.target,
        "why": sentence(incident.reason, incident.evidence),
        "lasted": row_of(incident).lasted,
        "notifications_url": _notifications_url(incident),
        "is_failing": is_failing(incident),
        "told": sum(told.values()),
        "undelivered": told.get(Notification.State.DEAD, 0),
        "may_operate": may(request.user, Role.OPERATOR, incident.target.environment_id),
    }


def _notifications_url(incident: Incident) -> str:
    """The deliveries that told of it; "" while there is no page for them."""
    try:
        return f"{reverse('alerts:notification-list')}?{urlencode({'incident': str(incident.pk)})}"
    except NoReverseMatch:
        return ""


def load_timeline(request: PageRequest, incident: Incident) -> dict[str, Any]:
    events = incident.events.select_related("actor").order_by("-at", "-sequence")
    return {"incident": incident, "entries": [entry_of(event, incident) for event in events]}


_ICONS = {IncidentEvent.Kind.ACKNOWLEDGED: "acknowledge", IncidentEvent.Kind.NOTE: "note"}


def entry_of(event: IncidentEvent, incident: Incident) -> dict[str, Any]:
    """One event as the timeline component shows it."""
    kind = IncidentEvent.Kind(event.kind)
    entry: dict[str, Any] = {
        "at": event.at,
        "title": _title(kind, event, incident),
        "actor": event.actor.get_username() if event.actor else "",
        "text": event.text,
        "id": f"event-{event.sequence}",
    }
    if kind in _ICONS:
        entry["icon"] = _ICONS[kind]
    elif kind == IncidentEvent.Kind.RESOLVED and incident.resolution == Incident.Resolution.RECOVERED:
        entry["status"] = Status.OPERATIONAL
    elif kind == IncidentEvent.Kind.RESOLVED:
        entry["icon"] = "check"  # somebody closed it: that says nothing about the target
    else:
        entry["status"] = event.change.get("to", incident.severity)
    return entry


def _title(kind: IncidentEvent.Kind, event: IncidentEvent, incident: Incident) -> str:
    change = event.change
    seen = change.get("evidence")
    words = {
        "status": Status(change["to"]).label if change.get("to") in list(Status) else "",
        "reason": sentence(str(change.get("reason", "")), seen if isinstance(seen, dict) else {}),
        "resolution": Incident.Resolution(incident.resolution).label if incident.resolution else "",
    }
    if kind == IncidentEvent.Kind.OPENED:
        return _("Opened as %(status)s: %(reason)s") % words
    if kind == IncidentEvent.Kind.UPDATED:
        return _("Now %(status)s: %(reason)s") % words
    if kind == IncidentEvent.Kind.RESOLVED:
        return _("Resolved: %(resolution)s") % words
    return str(kind.label)


def load_changes(request: PageRequest, incident: Incident) -> dict[str, Any]:
    """The changes of status it was made of, each with what was seen."""
    changes = StateChange.objects.filter(incident=incident).select_related("source_check").order_by("-at", "-id")
    return {"incident": incident, "changes": list(changes[:CHANGES_SHOWN])}


PANELS = (
    Panel("state", "dashboard/incident/_state.html", load_state, "incident,target.status"),
    Panel("timeline", "dashboard/incident/_timeline.html", load_timeline, "incident"),
    Panel("changes", "dashboard/incident/_changes.html", load_changes, "incident,target.status"),
)


def incidents_url(target: Target) -> str:
    """The list narrowed to one target."""
    return f"{reverse('dashboard:incident-list')}?{urlencode({'target': str(target.pk)})}"


def filter_fields(filters: IncidentFilters) -> list[dict[str, Any]]:
    """The selects of the filter bar."""
    return [
        {"name": "state", "label": _("Any state"), "kind": "select", "value": filters.state, "choices": STATES},
        {
            "name": "severity",
            "label": _("Any severity"),
            "kind": "select",
            "value": filters.severity,
            "choices": Incident.Severity.choices,
        },
    ]


def chips_of(user: User, filters: IncidentFilters, path: str) -> list[dict[str, str]]:
    """What is in force, each with the list without it."""
    target = filtered_target(user, filters)
    found = [
        ("state", _("State"), str(dict(STATES).get(filters.state, ""))),
        ("severity", _("Severity"), str(dict(Incident.Severity.choices).get(filters.severity, ""))),
        ("target", _("Target"), str(target.full_name) if target else filters.target),
    ]
    return [
        {"label": label, "value": value, "url": f"{path}?{filters.query(**{name: ''})}"}
        for name, label, value in found
        if value
    ]
