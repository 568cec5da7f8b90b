"""Reading what the stages need to know of the groups that are due, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import F

from apps.alerts import matching, times
from apps.alerts.channels.base import MessageType
from apps.alerts.models import (
    Alert,
    AlertEvent,
    AlertGroup,
    AlertSource,
    Channel,
    GroupMember,
    Notification,
    Severity,
    Silence,
)
from apps.alerts.pipeline.enrolment import is_machine
from apps.alerts.pipeline.kin import Kin, load_kin
from apps.alerts.routes.selectors import load_tree
from apps.alerts.stages.context import (
    AlertFacts,
    Candidate,
    ChannelFacts,
    EventFacts,
    GroupFacts,
    ParentFacts,
    RoutingContext,
    SilenceFacts,
)
from apps.alerts.stages.rate_limit import STORM_PAUSE, STORM_WINDOW
from apps.alerts.unreadable import Unreadable
from apps.catalog.models import Status, Target, TargetStatus
from apps.checks.models import Incident
from apps.core import statements

logger = structlog.get_logger(__name__)

# How far up dependencies are followed.
LEVELS = 8


@dataclass
class Due:
    """The groups of one look, their members, and the rows behind the facts."""

    context: RoutingContext
    candidates: list[Candidate]
    groups: dict[UUID, AlertGroup]
    members: dict[tuple[UUID, UUID], GroupMember]
    alerts: dict[UUID, Alert]
    sources: dict[UUID, list[AlertSource]] = field(default_factory=dict)


def load_due(limit: int, now: datetime) -> Due | None:
    """The groups that are due, oldest first, at most `limit`; None when there are none. Some fifteen queries."""
    groups = {
        group.pk: group
        for group in AlertGroup.objects.select_for_update(of=("self",))
        # Those of a channel that is off wait until it is on again: what still fires then is told.
        .filter(due_at__lte=now, channel__enabled=True, channel__deleted_at__isnull=True)
        .order_by("due_at", "id")[:limit]
    }
    if not groups:
        return None
    # Thousands of groups have one channel: it is read once.
    channels = Channel.objects.in_bulk({group.channel_id for group in groups.values()})
    for group in groups.values():
        group.channel = channels[group.channel_id]
    rows = list(GroupMember.objects.filter(group__in=groups).order_by("id"))
    alerts = {
        alert.pk: alert
        for alert in Alert.objects.filter(pk__in={row.alert_id for row in rows}).select_related(
            "target__namespace", "environment", "acknowledged_by"
        )
    }
    sources: dict[UUID, list[AlertSource]] = {}
    for source in AlertSource.objects.filter(alert__in=alerts).order_by("since", "id"):
        sources.setdefault(source.alert_id, []).append(source)
    facts = _alert_facts(alerts.values())
    group_facts = _group_facts(groups.values(), now)
    events = _events(rows)
    silences = load_silences(now)
    kin = load_kin(alerts.values(), channels, silences, now)
    candidates = [
        _candidate(group_facts[row.group_id], facts[row.alert_id], row, events.get(row.alert_id, []), kin)
        for row in rows
        if row.alert_id in facts
    ]
    members = {(row.group_id, row.alert_id): row for row in rows}
    return Due(_context(facts.values(), silences, now), candidates, groups, members, alerts, sources)


def _candidate(
    group: GroupFacts, alert: AlertFacts, row: GroupMember, events: Iterable[EventFacts], kin: Kin
) -> Candidate:
    return Candidate(
        group=group,
        alert=alert,
        told_sequence=row.told_sequence,
        told_state=row.told_state,
        told_severity=row.told_severity,
        told_acknowledged=row.told_acknowledged,
        # A step without a word on the wire is none of a machine's business.
        news=tuple(
            event
            for event in events
            if event.sequence > row.told_sequence and (event.type or not group.channel.machine)
        ),
        held=row.decided.startswith("held "),
        kin=kin.told_instead.get((group.channel.id, alert.id), ()),
        stands_for=kin.stands_for.get((group.channel.id, alert.id), 0),
    )


def _events(rows: Collection[GroupMember]) -> dict[UUID, list[EventFacts]]:
    found: dict[UUID, list[EventFacts]] = {}
    events = AlertEvent.objects.filter(alert__in={row.alert_id for row in rows}, routed_at__isnull=False)
    columns = ("alert_id", "id", "sequence", "kind", "type", "source", "at", "severity")
    for alert, *values in events.order_by("alert_id", "sequence").values_list(*columns):
        found.setdefault(alert, []).append(EventFacts(*values))
    return found


# --- Groups and channels ----------------------------------------------------------------------------------


def _group_facts(groups: Collection[AlertGroup], now: datetime) -> dict[UUID, GroupFacts]:
    tree = load_tree()
    channels = _channel_facts({group.channel_id: group.channel for group in groups}, now)
    facts = {}
    for group in groups:
        route = tree.get(group.route_id)
        facts[group.pk] = GroupFacts(
            id=group.pk,
            channel=channels[group.channel_id],
            route=group.route_id,
            mode=group.mode,
            labels=group.labels,
            # An alert that is a group by itself has no company to wait for.
            group_interval_seconds=0 if route.group_by is None else route.group_interval_seconds,
            repeat_interval_seconds=route.repeat_interval_seconds,
            told_at=group.told_at,
            sequence=group.sequence,
        )
    return facts


def _channel_facts(channels: dict[UUID, Channel], now: datetime) -> dict[UUID, ChannelFacts]:
    since = now - max(STORM_WINDOW, STORM_PAUSE)
    sent: dict[UUID, list[datetime]] = {}
    storms: dict[UUID, datetime] = {}
    lately = Notification.objects.filter(channel__in=channels, created_at__gt=since, lane__isnull=False)
    for channel, kind, lane, at, replaceable in lately.order_by("created_at").values_list(
        "channel_id", "kind", "lane", "created_at", "replaceable"
    ):
        if replaceable or lane == channel:
            sent.setdefault(channel, []).append(at)
        if kind == MessageType.ALERT_STORM:
            storms[channel] = at + STORM_PAUSE
    return {
        identifier: ChannelFacts(
            id=identifier,
            environment=channel.environment_id,
            machine=is_machine(channel),
            quiet_hours=times.load(channel.quiet_hours),
            time_zone=channel.time_zone,
            sent_lately=tuple(sent.get(identifier, ())),
            storm_until=storms.get(identifier),
        )
        for identifier, channel in channels.items()
    }


# --- Alerts and what bears on them ------------------------------------------------------------------------


def _alert_facts(alerts: Collection[Alert]) -> dict[UUID, AlertFacts]:
    targets = {alert.target_id for alert in alerts if alert.target_id is not None}
    parents = load_parents(targets)
    rows = TargetStatus.objects.filter(target__in=targets).values_list("target_id", "status", "last_result_at")
    looks: dict[UUID | None, tuple[str, datetime | None]] = {target: (status, at) for target, status, at in rows}
    unknown = (Status.UNKNOWN.value, None)
    return {
        alert.pk: AlertFacts(
            id=alert.pk,
            fingerprint=alert.fingerprint,
            cause=alert.cause,
            environment=alert.environment_id,
            target=alert.target_id,
            severity=alert.severity,
            labels=alert.labels,
            started_at=alert.started_at,
            resolved_at=alert.resolved_at,
            acknowledged=alert.acknowledged_at is not None,
            hold_seconds=alert.hold_seconds,
            sequence=alert.last_sequence,
            in_maintenance=looks.get(alert.target_id, unknown)[0] == Status.MAINTENANCE,
            last_result_at=looks.get(alert.target_id, unknown)[1],
            parents=parents.get(alert.target_id, ()) if alert.target_id else (),
        )
        for alert in alerts
    }


def load_parents(targets: Collection[UUID]) -> dict[UUID, tuple[ParentFacts, ...]]:
    """What each target depends on, near and far. One query a level, and one for their state."""
    ancestors = _ancestors(targets)
    everyone = {parent for found in ancestors.values() for parent in found}
    if not everyone:
        return {}
    rows = Target.objects.present().filter(pk__in=everyone)
    states = {
        row[0]: row
        for row in rows.values_list("pk", "name", "enabled", "status_row__status", "status_row__last_result_at")
    }
    outages = dict(
        Incident.objects.open()
        .filter(target__in=everyone, severity=Incident.Severity.OUTAGE)
        .values_list("target_id", "id")
    )
    facts = {
        key: ParentFacts(
            target=key,
            name=name,
            firing_alert=outages.get(key),
            is_outage=key in outages,
            is_operational=status == Status.OPERATIONAL,
            last_result_at=last_result_at,
            enabled=enabled,
        )
        for key, name, enabled, status, last_result_at in states.values()
    }
    return {
        target: tuple(facts[parent] for parent in sorted(found) if parent in facts)
        for target, found in ancestors.items()
    }


# A model is asked at its provider, so it depends on it without anybody saying so.
_ABOVE = """
    SELECT from_target_id, to_target_id FROM catalog_target_depends_on WHERE from_target_id = ANY(%(level)s)
    UNION
    SELECT id, namespace FROM catalog_target WHERE id = ANY(%(level)s) AND kind = 'model' AND namespace IS NOT NULL
"""


def _ancestors(targets: Collection[UUID]) -> dict[UUID, set[UUID]]:
    links: dict[UUID, set[UUID]] = {}
    level, seen = set(targets), set(targets)
    for _level in range(LEVELS):
        if not level:
            break
        above: set[UUID] = set()
        for child, parent in statements.run(_ABOVE, {"level": list(level)}):
            links.setdefault(child, set()).add(parent)
            above.add(parent)
        level = above - seen
        seen |= above
    return {target: _reach(target, links) for target in targets if target in links}


def _reach(target: UUID, links: dict[UUID, set[UUID]]) -> set[UUID]:
    """Everything above `target`, itself left out: dependencies may go round."""
    found: set[UUID] = set()
    waiting = list(links.get(target, ()))
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found.add(parent)
            waiting.extend(links.get(parent, ()))
    return found - {target}


def _context(alerts: Iterable[AlertFacts], silences: tuple[SilenceFacts, ...], now: datetime) -> RoutingContext:
    targets = {alert.target for alert in alerts if alert.target is not None}
    critical = Alert.objects.firing().filter(target__in=targets, severity=Severity.CRITICAL)
    return RoutingContext(
        now=now,
        silences=silences,
        critical_targets=dict(critical.order_by("-started_at").values_list(F("target_id"), F("id"))),
    )


def load_silences(now: datetime) -> tuple[SilenceFacts, ...]:
    """The silences in force. One that cannot be read hushes nothing. One query."""
    found = []
    for row in Silence.objects.active(now).order_by("ends_at"):
        try:
            matchers = matching.load(row.matchers)
        except Unreadable:
            logger.warning("silence_unreadable", silence=str(row.pk))
            continue
        if matchers:
            found.append(SilenceFacts(row.pk, row.environment_id, matchers, row.ends_at))
    return tuple(found)
