"""Incidents: what a change of status does to them (`follow`), and what people do (acknowledge, resolve, note).

Every step is an IncidentEvent, numbered within its incident: the timeline a person reads and the outbox a channel
is told from, in one row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.status import Status
from apps.checks import state
from apps.checks.board import Board, TargetRow
from apps.checks.models import Incident, IncidentEvent, StateChange
from apps.core import cache, clock, statements
from apps.core.news import News, announce, announce_all


class IncidentConflict(Exception):
    """The step is not possible as the incident stands; the message says why and what would be."""


# --- What a change of status does -------------------------------------------------------------------------


def follow(board: Board, changes: list[StateChange], at: datetime) -> int:
    """Take every changed target's incident one step, link the changes to them, and write all of it.

    `changes` are rows not saved yet. Returns the number of steps. At most seven queries, whatever the number.
    """
    if not changes:
        return 0
    target_ids = [change.target_id for change in changes]
    open_ones = {
        incident.target_id: incident
        for incident in Incident.objects.select_for_update()
        .filter(target_id__in=target_ids)
        .open()
        .order_by("target_id")
    }
    latest = _latest_resolved(target_ids)
    plan = _Plan(at)
    for change in changes:
        target = board.targets[change.target_id]
        plan.take(target, change, open_ones.get(target.id), latest.get(target.id))
    plan.write()
    return plan.steps


def _latest_resolved(target_ids: list[UUID]) -> dict[UUID, Incident]:
    rows = (
        Incident.objects.filter(target_id__in=target_ids, resolved_at__isnull=False)
        .order_by("target_id", "-opened_at")
        .distinct("target_id")
    )
    return {incident.target_id: incident for incident in rows}


class _Plan:
    """The rows one batch will write, collected so that each table is written once."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.steps = 0
        self.opened: list[Incident] = []
        self.updated: list[Incident] = []
        self.released: list[Incident] = []
        self.events: list[IncidentEvent] = []
        self.changes: list[StateChange] = []
        self.news = defaultdict[tuple[str, UUID], list[UUID]](list)

    def take(self, target: TargetRow, change: StateChange, current: Incident | None, last: Incident | None) -> None:
        status = Status(change.to_status)
        step = state.decide_incident(
            open_severity=Status(current.severity) if current else None,
            unmeasured=bool(current and current.not_measured_since),
            held=bool(last and last.holds_until_operational),
            status=status,
        )
        if last and last.holds_until_operational and status is Status.OPERATIONAL:
            last.holds_until_operational = False
            self.released.append(last)
        if step is state.IncidentStep.OPEN:
            current = self._open(target, change, last)
        elif current is not None:
            self._continue(step, current, change, target)
        change.incident = current
        self.changes.append(change)

    def _open(self, target: TargetRow, change: StateChange, last: Incident | None) -> Incident:
        incident = Incident(
            target_id=target.id,
            severity=change.to_status,
            reason=change.reason,
            evidence=change.evidence,
            source_check_id=change.source_check_id,
            opened_at=self.at,
            previous=last,
        )
        self.opened.append(incident)
        self._tell(incident, IncidentEvent.Kind.OPENED, change, target)
        return incident

    def _continue(self, step: state.IncidentStep, incident: Incident, change: StateChange, target: TargetRow) -> None:
        status = Status(change.to_status)
        if incident.not_measured_since and status is not Status.UNKNOWN:
            incident.not_measured_since = None
        if step is state.IncidentStep.NOT_MEASURED:
            incident.not_measured_since = self.at
        elif step is state.IncidentStep.RAISE:
            incident.severity, incident.reason, incident.evidence = change.to_status, change.reason, change.evidence
            self._tell(incident, IncidentEvent.Kind.UPDATED, change, target)
        elif step is state.IncidentStep.RESOLVE:
            recovered = status is Status.OPERATIONAL
            incident.resolved_at = self.at
            incident.resolution = Incident.Resolution.RECOVERED if recovered else Incident.Resolution.MAINTENANCE
            self._tell(incident, IncidentEvent.Kind.RESOLVED, change, target)
        self.updated.append(incident)

    def _tell(self, incident: Incident, kind: str, change: StateChange, target: TargetRow) -> None:
        self.steps += 1
        incident.last_sequence += 1
        self.events.append(
            IncidentEvent(
                incident=incident,
                kind=kind,
                at=self.at,
                sequence=incident.last_sequence,
                change=describe(change.from_status, change.to_status, change.reason, change.evidence),
            )
        )
        self.news[kind, target.environment_id].append(incident.id)

    def write(self) -> None:
        Incident.objects.bulk_create(self.opened)
        _update(self.updated)
        Incident.objects.filter(pk__in=[incident.pk for incident in self.released]).update(
            holds_until_operational=False
        )
        IncidentEvent.objects.bulk_create(self.events)
        StateChange.objects.bulk_create(self.changes)
        # At once: each announcement of its own would wake whoever tells people once more.
        announce_all(
            [
                News(f"incident.{kind}", tuple(incidents), environment, self.at)
                for (kind, environment), incidents in self.news.items()
            ]
        )


# Django's bulk_update names every row in every column: measured at 3 ms an incident when many recover at once.
_UPDATE = """
    UPDATE checks_incident AS i SET
        severity = v.severity, reason = v.reason, evidence = v.evidence::jsonb,
        not_measured_since = v.not_measured_since, resolved_at = v.resolved_at, resolution = v.resolution,
        last_sequence = v.last_sequence
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
                %s::int[])
        AS v(id, severity, reason, evidence, not_measured_since, resolved_at, resolution, last_sequence)
    WHERE i.id = v.id
"""


def _update(incidents: list[Incident]) -> None:
    if not incidents:
        return
    columns: list[list[Any]] = [
        [incident.pk for incident in incidents],
        [str(incident.severity) for incident in incidents],
        [incident.reason for incident in incidents],
        [msgspec.json.encode(incident.evidence).decode() for incident in incidents],
        [incident.not_measured_since for incident in incidents],
        [incident.resolved_at for incident in incidents],
        [str(incident.resolution) for incident in incidents],
        [incident.last_sequence for incident in incidents],
    ]
    statements.run(_UPDATE, columns)


def describe(from_status: str, to_status: str, reason: str, evidence: dict[str, Any]) -> dict[str, Any]:
    """The change as an event keeps it and a channel tells it."""
    return {"from": from_status, "to": to_status, "reason": reason, "evidence": evidence}


# --- What people do ---------------------------------------------------------------------------------------


def _locked(incident: Incident) -> Incident:
    return Incident.objects.select_for_update(of=("self",)).select_related("target").get(pk=incident.pk)


def _append(
    incident: Incident, kind: str, *, actor: User | None, text: str = "", change: dict[str, Any] | None = None
) -> IncidentEvent:
    incident.last_sequence += 1
    event = IncidentEvent.objects.create(
        incident=incident,
        kind=kind,
        at=clock.now(),
        sequence=incident.last_sequence,
        actor=actor,
        text=text,
        change=change or {},
    )
    announce(f"incident.{kind}", [incident.id], incident.target.environment_id)
    cache.bump("incidents")
    return event


@transaction.atomic
def acknowledge_incident(*, incident: Incident, actor: User | None, text: str = "") -> Incident:
    """Say who has it. Acknowledging again changes nothing; a resolved incident cannot be acknowledged."""
    row = _locked(incident)
    if row.resolved_at is not None:
        raise IncidentConflict(_("This incident is resolved; there is nothing left to acknowledge."))
    if row.acknowledged_at is not None:
        return row
    row.acknowledged_at, row.acknowledged_by = clock.now(), actor
    _append(row, IncidentEvent.Kind.ACKNOWLEDGED, actor=actor, text=text, change=_as_it_stands(row))
    row.save(update_fields=["acknowledged_at", "acknowledged_by", "last_sequence"])
    record_audit(actor=actor, action="acknowledge", subject=row)
    return row


@transaction.atomic
def resolve_incident(*, incident: Incident, actor: User, force: bool = False, text: str = "") -> Incident:
    """Resolve by hand. While the target still fails this needs `force`, and then no new incident opens until the
    target was operational once."""
    row = _locked(incident)
    if row.resolved_at is not None:
        return row
    status = Status(row.target.status_row.status)
    failing = status in (Status.DEGRADED, Status.OUTAGE)
    if failing and not force:
        raise IncidentConflict(
            _(
                'The target is still failing. Wait for it to recover, or send {"force": true}: '
                "then no new incident opens until it was operational once."
            )
        )
    row.resolved_at = clock.now()
    row.resolution = Incident.Resolution.BY_HAND
    row.holds_until_operational = failing
    change = describe(status.value, status.value, "resolved_by_hand", {})
    _append(row, IncidentEvent.Kind.RESOLVED, actor=actor, text=text, change=change)
    row.save(update_fields=["resolved_at", "resolution", "holds_until_operational", "last_sequence"])
    record_audit(actor=actor, action="resolve", subject=row)
    return row


@transaction.atomic
def add_note(*, incident: Incident, actor: User, text: str) -> IncidentEvent:
    """Write a line into the timeline. Notes are for people who look; no channel is told."""
    row = _locked(incident)
    event = _append(row, IncidentEvent.Kind.NOTE, actor=actor, text=text)
    row.save(update_fields=["last_sequence"])
    return event


def close_open_incidents(*, target_ids: Iterable[UUID], resolution: Incident.Resolution, actor: User | None) -> None:
    """Close what is open because nothing looks any more (the last check or the target was removed).

    Runs inside the caller's transaction. At most one incident is open a target, and removal is rare and by hand, so
    a loop is no cost.
    """
    rows = Incident.objects.select_for_update(of=("self",)).select_related("target", "target__status_row")
    for row in rows.filter(target_id__in=list(target_ids)).open():
        row.resolved_at, row.resolution = clock.now(), resolution
        status = row.target.status_row.status
        change = describe(status, Status.UNKNOWN.value, resolution.value, {})
        _append(row, IncidentEvent.Kind.RESOLVED, actor=actor, change=change)
        row.save(update_fields=["resolved_at", "resolution", "last_sequence"])


def _as_it_stands(incident: Incident) -> dict[str, Any]:
    status = incident.target.status_row.status
    return describe(status, status, incident.reason, incident.evidence)
