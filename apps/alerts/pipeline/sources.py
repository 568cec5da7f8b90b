"""From what says so to alerts: one alert a fingerprint, opened by the first source and ended by the last.

The only writer of alerts and their events. Callers hold `pipeline.lock`, so that two of them never open one cause
twice; the constraint `alerts_one_open_a_fingerprint` is the second guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.models import User
from apps.alerts.alert_messages import alert_brief, alert_payload
from apps.alerts.channels.base import MessageType
from apps.alerts.labels import error_labels
from apps.alerts.models import Alert, AlertEvent, AlertSource, Severity
from apps.alerts.ruling.status_rules import KIND as STATUS
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News, announce_all

_WORST_FIRST = (Severity.CRITICAL.value, Severity.WARNING.value, Severity.INFO.value)


@dataclass(frozen=True)
class WireEvent:
    """An incident's event as machines are told it: `source` is the IncidentEvent, `type` the word on the wire."""

    source: UUID
    type: str
    kind: str
    at: datetime
    payload: Mapping[str, Any]
    actor: UUID | None = None


@dataclass(frozen=True)
class SourceChange:
    """One source that began, changed its severity, or ended (`ended`).

    `kind` and `key` name the source ("incident" or "rule" and its id; "portal" and a code). `labels` holds what is
    known of the target; severity, cause, rule and reason are added here.
    """

    fingerprint: str
    cause: str
    kind: str
    key: str
    name: str
    severity: str
    at: datetime
    ended: bool = False
    environment: UUID | None = None
    target: UUID | None = None
    rule: UUID | None = None
    incident: UUID | None = None
    hold_seconds: int = 0
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    # When the cause began, where that was before `at` (a rule's `for` runs from there).
    since: datetime | None = None
    event: WireEvent | None = None


def fingerprint(target: UUID | None, cause: str) -> str:
    """What makes two sources one alert: the same target and the same cause."""
    return f"{target or 'portal'}:{cause}"


def worst(severities: Iterable[str]) -> str:
    """The worst of some severities; `info` of none."""
    found = set(severities)
    return next((severity for severity in _WORST_FIRST if severity in found), Severity.INFO.value)


def apply_changes(changes: Sequence[SourceChange]) -> list[UUID]:
    """Take every change one step, in order. Returns the ids of the alerts that have something to tell.

    Set-based: a fixed number of queries, whatever the number of changes. Runs inside the caller's transaction.
    """
    if not changes:
        return []
    book = _Book(_open_alerts(Alert.objects.filter(fingerprint__in={change.fingerprint for change in changes})))
    for change in changes:
        book.take(change)
    return book.write()


def end_sources(kind: str, keys: Iterable[str], at: datetime) -> list[UUID]:
    """End every open source of these keys (a rule was deleted, a channel works again)."""
    rows = AlertSource.objects.filter(
        kind=kind, key__in=list(keys), ended_at__isnull=True, alert__resolved_at__isnull=True
    ).select_related("alert")
    return apply_changes(
        [
            SourceChange(
                fingerprint=row.alert.fingerprint,
                cause=row.alert.cause,
                kind=row.kind,
                key=row.key,
                name=row.name,
                severity=row.severity,
                at=at,
                ended=True,
            )
            for row in rows
        ]
    )


def acknowledge(alert_id: UUID, actor: User | None, through: str = "") -> Alert | None:
    """Say who has it. None when it is resolved meanwhile; acknowledging again changes nothing."""
    open_ones = _open_alerts(Alert.objects.filter(pk=alert_id))
    if not open_ones:
        return None
    [record] = open_ones
    if record.alert.acknowledged_at is None:
        record.alert.acknowledged_at = clock.now()
        record.alert.acknowledged_by, record.alert.acknowledged_through = actor, through[:200]
        book = _Book(open_ones)
        book.add_event(record, AlertEvent.Kind.ACKNOWLEDGED, "", record.alert.acknowledged_at, actor=actor)
        book.write()
    return record.alert


@dataclass
class _Record:
    """An alert while a batch is worked through, with its sources by (kind, key)."""

    alert: Alert
    sources: dict[tuple[str, str], AlertSource]
    is_new: bool = False
    # Whether machines were told `alert.firing`, and so wait for an `alert.resolved`.
    wire_firing: bool = False

    def active(self) -> list[AlertSource]:
        return [source for source in self.sources.values() if source.ended_at is None]

    def active_besides_incident(self) -> bool:
        return any(source.kind != AlertSource.Kind.INCIDENT for source in self.active())


def _open_alerts(rows: Any) -> list[_Record]:
    """Three queries. Locked in id order, as everywhere."""
    locked = rows.firing().select_for_update(of=("self",))
    alerts = list(locked.select_related("target__namespace", "environment").order_by("id"))
    sources: dict[UUID, dict[tuple[str, str], AlertSource]] = {}
    for source in AlertSource.objects.filter(alert__in=alerts).select_related("rule"):
        sources.setdefault(source.alert_id, {})[source.kind, source.key] = source
    types = AlertEvent.objects.filter(alert__in=alerts, type__startswith="alert.").order_by("sequence")
    firing = {alert: type == MessageType.ALERT_FIRING for alert, type in types.values_list("alert_id", "type")}
    return [_Record(alert, sources.get(alert.pk, {}), wire_firing=firing.get(alert.pk, False)) for alert in alerts]


class _Book:
    """The rows of one batch, collected so that each table is written once."""

    def __init__(self, records: Iterable[_Record]) -> None:
        self._open = {record.alert.fingerprint: record for record in records}
        self._touched: dict[UUID, _Record] = {}
        self._events: list[tuple[AlertEvent, _Record]] = []
        self._sources: dict[tuple[UUID, str, str], AlertSource] = {}

    def take(self, change: SourceChange) -> None:
        record = self._open.get(change.fingerprint)
        if record is None:
            if change.ended and change.event is None:
                return
            record = self._begin(change)
        self._touched[record.alert.pk] = record
        before, was_new = record.alert.severity, record.is_new and not record.alert.last_sequence
        known = record.sources.get((change.kind, change.key))
        if not (change.ended and known is None and change.event is None):
            self._note_source(record, change)
        self._follow(record, change)
        self._tell(record, change, raised=_rank(record.alert.severity) < _rank(before), opened=was_new)
        if record.alert.resolved_at is not None:
            del self._open[change.fingerprint]

    def _begin(self, change: SourceChange) -> _Record:
        alert = Alert(
            id=uuid7(),
            fingerprint=change.fingerprint,
            cause=change.cause,
            environment_id=change.environment,
            target_id=change.target,
            severity=change.severity,
            started_at=change.since or change.at,
            hold_seconds=change.hold_seconds,
            reason=change.reason,
            labels={**change.labels, "cause": change.cause},
        )
        record = self._open[change.fingerprint] = _Record(alert, {}, is_new=True)
        return record

    def _note_source(self, record: _Record, change: SourceChange) -> None:
        source = record.sources.get((change.kind, change.key))
        if source is None:
            source = AlertSource(alert=record.alert, kind=change.kind, key=change.key, since=change.since or change.at)
            record.sources[change.kind, change.key] = source
        if source.ended_at is not None and not change.ended:
            source.since = change.since or change.at
        source.name, source.rule_id = change.name[:200], change.rule or source.rule_id
        if not change.ended:
            source.severity, source.detail = change.severity, dict(change.detail)
        elif not source.severity:
            source.severity = change.severity
        source.ended_at = change.at if change.ended else None
        self._sources[record.alert.pk, change.kind, change.key] = source
        if change.event is not None and change.event.kind == AlertEvent.Kind.RESOLVED:
            self._end_rules(record, change.at)

    def _end_rules(self, record: _Record, at: datetime) -> None:
        """What rules said of the target's status ends with its incident, not when they are next evaluated.

        What others found (a check that goes on failing) ends when they find it no more.
        """
        for source in record.active():
            if source.kind == AlertSource.Kind.RULE and (source.rule is None or source.rule.kind == STATUS):
                source.ended_at = at
                self._sources[record.alert.pk, source.kind, source.key] = source

    def _follow(self, record: _Record, change: SourceChange) -> None:
        """Bring the alert in line with its sources."""
        alert, active = record.alert, record.active()
        if change.incident is not None:
            alert.incident_id = change.incident
        if not change.ended:
            alert.hold_seconds = min(alert.hold_seconds, change.hold_seconds)
            if not alert.detail or _rank(change.severity) <= _rank(alert.severity):
                alert.detail, alert.reason = dict(change.detail), change.reason or alert.reason
        if active:
            alert.severity = worst(source.severity for source in active)
        else:
            alert.resolved_at, alert.resolution = change.at, Alert.Resolution.RECOVERED
        rules = sorted({source.name for source in active if source.kind == AlertSource.Kind.RULE})
        alert.labels = {**alert.labels, **change.labels, "severity": alert.severity, "reason": alert.reason}
        alert.labels.update(error_labels(alert.labels.get("kind"), alert.reason))
        if rules or active:
            alert.labels["rule"] = rules
        if change.event is not None and change.event.kind == AlertEvent.Kind.ACKNOWLEDGED:
            alert.acknowledged_at, alert.acknowledged_by_id = change.event.at, change.event.actor

    def _tell(self, record: _Record, change: SourceChange, *, raised: bool, opened: bool) -> None:
        """The steps that follow: an incident's own event as it came, and `alert.*` for what other sources say."""
        ended = record.alert.resolved_at is not None
        if change.event is not None:
            if ended and record.wire_firing:
                self._wire(record, AlertEvent.Kind.UPDATED, MessageType.ALERT_RESOLVED, change.at)
            kind = AlertEvent.Kind(change.event.kind)
            if kind == AlertEvent.Kind.RESOLVED and not ended:
                kind = AlertEvent.Kind.UPDATED
            if kind == AlertEvent.Kind.FIRING and not opened:
                kind = AlertEvent.Kind.UPDATED
            self.add_event(record, kind, change.event.type, change.event.at, wire=change.event)
        elif ended:
            word = MessageType.ALERT_RESOLVED.value if record.wire_firing else ""
            self._wire(record, AlertEvent.Kind.RESOLVED, word, change.at)
        elif opened:
            self._wire(record, AlertEvent.Kind.FIRING, MessageType.ALERT_FIRING, change.at)
        elif raised:
            self._wire(record, AlertEvent.Kind.UPDATED, MessageType.ALERT_FIRING, change.at)
        elif change.ended and record.wire_firing and not record.active_besides_incident():
            self._wire(record, AlertEvent.Kind.UPDATED, MessageType.ALERT_RESOLVED, change.at)

    def _wire(self, record: _Record, kind: str, type: str, at: datetime) -> None:
        self.add_event(record, kind, str(type), at)
        record.wire_firing = type == MessageType.ALERT_FIRING

    def add_event(
        self,
        record: _Record,
        kind: str,
        type: str,
        at: datetime,
        *,
        wire: WireEvent | None = None,
        actor: User | None = None,
    ) -> None:
        """One step. Without a `type` it is none of a machine's business."""
        record.alert.last_sequence += 1
        self._touched[record.alert.pk] = record
        identifier = uuid7()
        event = AlertEvent(
            id=identifier,
            alert=record.alert,
            kind=kind,
            at=at,
            sequence=record.alert.last_sequence,
            severity=record.alert.severity,
            actor_id=wire.actor if wire else (actor.pk if actor else None),
            source=wire.source if wire else identifier,
            type=str(type),
            payload=dict(wire.payload) if wire else {},
        )
        if type:
            sources = list(record.sources.values())
            if wire is None:
                event.payload = alert_payload(record.alert, sources, type=str(type), at=at, sequence=event.sequence)
            else:
                event.payload["data"] = {**event.payload["data"], "alert": alert_brief(record.alert, sources)}
        self._events.append((event, record))

    def write(self) -> list[UUID]:
        """Alerts that were there first, so that one that ended makes room for its successor. Five statements."""
        records = list(self._touched.values())
        _save_alerts([record.alert for record in records if not record.is_new])
        Alert.objects.bulk_create([record.alert for record in records if record.is_new], batch_size=1_000)
        AlertSource.objects.bulk_create(
            list(self._sources.values()),
            update_conflicts=True,
            unique_fields=["alert", "kind", "key"],
            update_fields=["name", "rule", "severity", "detail", "since", "ended_at"],
            batch_size=1_000,
        )
        events = [event for event, _record in self._events]
        # An incident's event that was taken before (its mark was lost) is not taken again.
        AlertEvent.objects.bulk_create(events, ignore_conflicts=True, batch_size=1_000)
        at = clock.now()
        announce_all(
            [
                News(type=f"alert.{event.kind}", ids=(record.alert.pk,), environment=record.alert.environment_id, at=at)
                for event, record in self._events
            ]
        )
        return list(dict.fromkeys(record.alert.pk for _event, record in self._events))


def _save_alerts(alerts: list[Alert]) -> None:
    Alert.objects.bulk_create(
        alerts,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "incident", "severity", "labels", "reason", "detail", "resolved_at", "resolution", "acknowledged_at",
            "acknowledged_by", "acknowledged_through", "hold_seconds", "last_sequence",
        ],
        batch_size=1_000,
    )  # fmt: skip


def _rank(severity: str) -> int:
    return _WORST_FIRST.index(severity)
