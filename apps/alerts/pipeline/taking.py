"""From the outbox of checks: every event of an incident becomes a step of its target's alert."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.alerts.labels import labels_of
from apps.alerts.messages import EVENT_TYPES, incident_payload
from apps.alerts.models import AlertEvent, AlertSource
from apps.alerts.pipeline.sources import SourceChange, WireEvent, apply_changes, fingerprint
from apps.alerts.ruling.status_rules import StatusRules
from apps.checks.models import Incident, IncidentEvent

CAUSE = "status"

_KINDS = {
    IncidentEvent.Kind.OPENED: AlertEvent.Kind.FIRING,
    IncidentEvent.Kind.UPDATED: AlertEvent.Kind.UPDATED,
    IncidentEvent.Kind.ACKNOWLEDGED: AlertEvent.Kind.ACKNOWLEDGED,
    IncidentEvent.Kind.RESOLVED: AlertEvent.Kind.RESOLVED,
}


def take_incident_events(limit: int) -> int:
    """Take a batch of the outbox, oldest first. Returns how many rows. Runs under the pipeline's lock."""
    oldest = IncidentEvent.objects.filter(routed_at__isnull=True).order_by("id").values_list("incident_id")[:limit]
    # Whole incidents: ids are made by several processes, so one batch could else begin with a later event.
    events = list(
        IncidentEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(routed_at__isnull=True, incident_id__in=[row[0] for row in oldest])
        .select_related("incident__target__environment", "incident__target__namespace", "incident__acknowledged_by")
        .order_by("incident_id", "sequence")
    )
    if not events:
        return 0
    # One that was taken, and whose mark was lost, is not taken again.
    rows = AlertEvent.objects.filter(source__in=[event.pk for event in events])
    # Unordered: the order of steps is that of their alerts, and joining those for nothing can cost minutes.
    taken = set(rows.order_by().values_list("source", flat=True))
    fresh = [event for event in events if event.kind in EVENT_TYPES and event.pk not in taken]
    apply_changes(_changes(_in_order(fresh)))
    IncidentEvent.objects.filter(pk__in=[event.pk for event in events]).update(routed_at=Now())
    return len(events)


def _in_order(events: Sequence[IncidentEvent]) -> list[IncidentEvent]:
    """By time, and those of one target in the order of its incidents and their steps, whatever their clocks say.

    A step is dated before its incident is locked, so the later one may be dated earlier.
    """
    ordered = sorted(events, key=lambda event: (event.incident.opened_at, event.incident_id, event.sequence))
    latest: dict[UUID, datetime] = {}
    moments: dict[UUID, datetime] = {}
    for event in ordered:
        target = event.incident.target_id
        latest[target] = moment = max(event.at, latest.get(target, event.at))
        moments[event.pk] = moment
    return sorted(ordered, key=lambda event: moments[event.pk])


def _changes(events: Sequence[IncidentEvent]) -> list[SourceChange]:
    if not events:
        return []
    labels = labels_of({event.incident.target_id for event in events})
    rules = StatusRules.load()
    changes = []
    for event in events:
        changes += _changes_of(event, labels.get(event.incident.target_id, {}), rules)
    return changes


def _changes_of(event: IncidentEvent, labels: Any, rules: StatusRules) -> list[SourceChange]:
    """The incident, and before it every status rule that has an opinion on it: one alert, all sources listed."""
    incident = event.incident
    status = _severity_then(event)
    severity, hold_seconds, matching = rules.severity_of(labels, status)
    ended = event.kind == IncidentEvent.Kind.RESOLVED
    shared: dict[str, Any] = {
        "fingerprint": fingerprint(incident.target_id, CAUSE),
        "cause": CAUSE,
        "severity": severity,
        "at": event.at,
        "ended": ended,
        "environment": incident.target.environment_id,
        "target": incident.target_id,
        "incident": incident.pk,
        "hold_seconds": hold_seconds,
        "reason": str(event.change.get("reason") or incident.reason),
        "detail": {"evidence": event.change.get("evidence") or incident.evidence, "status": status},
        "labels": labels,
        "since": incident.opened_at,
    }
    own = SourceChange(
        kind=AlertSource.Kind.INCIDENT,
        key=str(incident.pk),
        name=incident.target.name,
        event=WireEvent(
            source=event.pk,
            type=EVENT_TYPES[event.kind].value,
            kind=_KINDS[IncidentEvent.Kind(event.kind)].value,
            at=event.at,
            payload=incident_payload(event, web_url=settings.PORTAL_WEB_URL.rstrip("/")),
            actor=event.actor_id,
        ),
        **shared,
    )
    others = [
        SourceChange(kind=AlertSource.Kind.RULE, key=str(rule), name=name, rule=rule, **{**shared, "severity": level})
        for rule, name, level in matching
    ]
    # The incident first when it begins and last when it ends: its own event is what opens and what closes the alert.
    return [*others, own] if ended else [own, *others]


def _severity_then(event: IncidentEvent) -> str:
    """The status the event speaks of: routing may come later than the next one."""
    to = event.change.get("to")
    return str(to) if to in Incident.Severity.values else str(event.incident.severity)


_MARK_CHANGES = """
    UPDATE checks_statechange SET routed_at = statement_timestamp()
    WHERE id IN (
        SELECT id FROM checks_statechange WHERE routed_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def pass_over_state_changes(limit: int) -> int:
    """Whatever a change of status means for people is in an incident's events or found by a rule."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_CHANGES, [limit])
        return int(cursor.rowcount)
