"""From steps of alerts to groups: which channels are concerned, together with what, and when they are looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from apps.alerts.channels.base import CHANNEL_KINDS
from apps.alerts.matching import texts_of
from apps.alerts.models import Alert, AlertDecision, AlertEvent, AlertGroup, Channel, GroupMember, Severity
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.saving import save_groups
from apps.alerts.routes.selectors import load_tree
from apps.alerts.routes.tree import ResolvedRoute, Tree
from apps.alerts.stages.context import Outcome, RoutingReason
from apps.alerts.stages.hearing import is_heard
from apps.alerts.times import zone_of
from apps.core.ids import uuid7

DIGEST_HOUR = 9

# (channel, route or None, mode, key): what makes a group one.
GroupKey = tuple[UUID, "UUID | None", str, str]


@dataclass(frozen=True)
class _Place:
    """Where one alert belongs."""

    key: GroupKey
    labels: Mapping[str, Any]
    wait_seconds: float
    interval_seconds: float
    # A machine's alert, or one that is a group by itself, has nothing to wait for once it was told.
    alone: bool


def enrol_events(limit: int, now: datetime) -> int:
    """Put the alerts of a batch of steps where they belong. Returns how many steps. Runs under the lock."""
    waiting = AlertEvent.objects.filter(routed_at__isnull=True)
    oldest = waiting.order_by("id").values_list("alert_id", flat=True)[:limit]
    # All steps of an alert: ids are made by several machines, and who joins late would never hear of an earlier step.
    events = list(waiting.filter(alert__in=list(oldest)).order_by("id"))
    if not events:
        return 0
    alerts = list(Alert.objects.filter(pk__in={event.alert_id for event in events}).select_related("environment"))
    channels = {channel.pk: channel for channel in Channel.objects.present().filter(enabled=True)}
    tree = load_tree()
    places = {alert.pk: _places(alert, tree, channels, now) for alert in alerts}
    first: dict[UUID, int] = {}
    for event in events:
        first[event.alert_id] = min(event.sequence, first.get(event.alert_id, event.sequence))
    worse = {
        event.alert_id
        for event in events
        if event.kind == AlertEvent.Kind.UPDATED and event.severity == Severity.CRITICAL
    }
    _write(alerts, places, channels, first, worse, now)
    over = [alert for alert in alerts if alert.resolved_at is not None]
    look_at_held([str(alert.pk) for alert in over] + [str(alert.target_id) for alert in over if alert.target_id], now)
    AlertEvent.objects.filter(pk__in=[event.pk for event in events]).update(routed_at=Now())
    return len(events)


def enrol_firing(channel: Channel, now: datetime) -> int:
    """A channel that is on again hears how things stand: whatever fires and began while it was off gets its place.
    Returns how many alerts. Runs under the lock."""
    known = GroupMember.objects.filter(alert=OuterRef("pk"), group__channel=channel)
    waiting = Alert.objects.firing().filter(~Exists(known)).select_related("environment")
    tree, channels = load_tree(), {channel.pk: channel}
    found = {alert: _places(alert, tree, channels, now) for alert in waiting}
    places = {alert.pk: there for alert, there in found.items() if there}
    # From its first step on: nothing of it was told here.
    _write([alert for alert in found if alert.pk in places], places, channels, dict.fromkeys(places, 1), (), now)
    return len(places)


def _places(alert: Alert, tree: Tree, channels: Mapping[UUID, Channel], now: datetime) -> list[_Place]:
    places = {}
    for route in tree.find(alert.labels, now):
        for identifier in route.channels:
            channel = channels.get(identifier)
            if channel is not None and hears(channel, alert):
                place = _place(alert, route, channel)
                places[place.key] = place
    return list(places.values())


def hears(channel: Channel, alert: Alert) -> bool:
    """A channel of one environment hears of that one only, and none hears through itself that it is broken."""
    if alert.labels.get("channel") == str(channel.pk):
        return False
    return is_heard(channel.environment_id, alert.environment_id, alert.cause)


def is_machine(channel: Channel) -> bool:
    return channel.kind in CHANNEL_KINDS and CHANNEL_KINDS.get(channel.kind).is_machine(channel.config)


def _place(alert: Alert, route: ResolvedRoute, channel: Channel) -> _Place:
    if is_machine(channel):
        return _Place((channel.pk, route.id, AlertGroup.Mode.EACH.value, str(alert.pk)), {}, 0.0, 0.0, alone=True)
    if alert.severity == Severity.INFO:
        return _Place((channel.pk, route.id, AlertGroup.Mode.DIGEST.value, ""), {}, 0.0, 0.0, alone=False)
    mode, wait, interval = AlertGroup.Mode.GROUP.value, route.group_wait_seconds, route.group_interval_seconds
    if route.group_by is None:
        return _Place((channel.pk, route.id, mode, str(alert.pk)), {}, wait, interval, alone=True)
    labels = {label: sorted(texts_of(alert.labels, label)) for label in route.group_by}
    return _Place((channel.pk, route.id, mode, _digest(labels)), labels, wait, interval, alone=False)


def _digest(labels: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()


def _write(
    alerts: list[Alert],
    places: Mapping[UUID, list[_Place]],
    channels: Mapping[UUID, Channel],
    first: Mapping[UUID, int],
    worse: Collection[UUID],
    now: datetime,
) -> None:
    """Groups and members that are not there yet, and the time of every group that has something new.

    `worse`: alerts that have just become critical.
    """
    wanted = {place.key: place for found in places.values() for place in found}
    there = _groups(wanted)
    groups = {key: there.get(key) or _new_group(place, channels[key[0]], now) for key, place in wanted.items()}
    present = list(GroupMember.objects.filter(alert__in=alerts).select_related("group"))
    before = {member.group_id for member in present}
    joining, moving = _seat(places, groups, present, first)
    used = {member.group_id for member in (*joining, *moving)}
    new_groups = [group for key, group in groups.items() if key not in there and group.pk in used]
    AlertGroup.objects.bulk_create(new_groups, batch_size=1_000)
    GroupMember.objects.bulk_create(joining, ignore_conflicts=True, batch_size=1_000)
    GroupMember.objects.bulk_update(moving, ["group"], batch_size=1_000)
    urgent = {place.key for alert in worse for place in places.get(alert, ())}
    _hurry({group.pk: group for group in there.values()}, wanted, urgent, before, now)
    concerned = {member.alert_id for member in (*joining, *present)}
    _note_unheard([alert for alert in alerts if alert.pk not in concerned], now)


def _seat(
    places: Mapping[UUID, list[_Place]],
    groups: Mapping[GroupKey, AlertGroup],
    present: Iterable[GroupMember],
    first: Mapping[UUID, int],
) -> tuple[list[GroupMember], list[GroupMember]]:
    """Members that are new, and those that change their group: a channel hears of an alert in one group only."""
    known: dict[tuple[UUID, UUID], list[GroupMember]] = {}
    for member in present:
        known.setdefault((member.group.channel_id, member.alert_id), []).append(member)
    joining: list[GroupMember] = []
    moving: list[GroupMember] = []
    for alert, found in places.items():
        for place in found:
            group, members = groups[place.key], known.get((place.key[0], alert), [])
            if not members:
                # Who joins late hears from here on, and not what happened before there was a way to tell.
                joining.append(GroupMember(group=group, alert_id=alert, told_sequence=first[alert] - 1))
            elif all(_moves(member, group) for member in members):
                members[0].group = group
                moving.append(members[0])
    return joining, moving


def _moves(member: GroupMember, group: AlertGroup) -> bool:
    """What was told goes on where it was told, but for what is too bad now to wait for the digest."""
    if member.group_id == group.pk:
        return False
    leaves_digest = member.group.mode == AlertGroup.Mode.DIGEST and group.mode != AlertGroup.Mode.DIGEST
    return leaves_digest or not member.told_state


def _new_group(place: _Place, channel: Channel, now: datetime) -> AlertGroup:
    channel_id, route_id, mode, key = place.key
    due_at = now + timedelta(seconds=place.wait_seconds)
    if mode == AlertGroup.Mode.DIGEST:
        due_at = next_digest(channel.time_zone, now)
    return AlertGroup(
        id=uuid7(),
        channel_id=channel_id,
        route_id=route_id,
        mode=mode,
        key=key,
        labels=dict(place.labels),
        due_at=due_at,
    )


def _groups(wanted: Mapping[GroupKey, _Place]) -> dict[GroupKey, AlertGroup]:
    rows = AlertGroup.objects.filter(channel__in={key[0] for key in wanted}, key__in={key[3] for key in wanted})
    return {(row.channel_id, row.route_id, row.mode, row.key): row for row in rows}


def next_digest(zone: str, now: datetime) -> datetime:
    """The next nine o'clock in a time zone."""
    local = now.astimezone(zone_of(zone))
    today = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def _hurry(
    groups: dict[UUID, AlertGroup],
    wanted: Mapping[GroupKey, _Place],
    urgent: Collection[GroupKey],
    members_of: set[UUID],
    now: datetime,
) -> None:
    """Look at the groups that were there: those of one alert now, the others when their interval is over.

    What has become critical (`urgent`) does not wait for the interval.
    `members_of` are all groups the alerts are in already: also those a changed tree would not choose again.
    """
    groups.update(AlertGroup.objects.in_bulk(members_of - set(groups)))
    earlier = []
    for group in groups.values():
        key = (group.channel_id, group.route_id, group.mode, group.key)
        due = _next_look(group, None if key in urgent else wanted.get(key), now)
        if group.due_at is None or due < group.due_at:
            group.due_at = due
            earlier.append(group)
    save_groups(earlier)


def _next_look(group: AlertGroup, place: _Place | None, now: datetime) -> datetime:
    if group.mode == AlertGroup.Mode.DIGEST:
        return group.due_at or next_digest(group.channel.time_zone, now)
    if group.flushed_at is None and group.due_at is not None:
        return group.due_at  # it still waits for its first time, and for company
    if place is None or place.alone or group.flushed_at is None:
        return now
    return max(now, group.flushed_at + timedelta(seconds=place.interval_seconds))


_LOOK_AT_HELD = """
    UPDATE alerts_alertgroup SET due_at = %s
    WHERE due_at > %s AND mode <> 'digest' AND id IN (
        SELECT group_id FROM alerts_groupmember WHERE decided LIKE 'held %%' AND split_part(decided, ' ', 3) = ANY(%s)
    )
"""


def look_at_held(reasons: Collection[str], now: datetime) -> None:
    """Look at once at whatever these (ids of silences, alerts or parents as text) have held: they are over.

    A digest waits for its time all the same.
    """
    if reasons:
        with connection.cursor() as cursor:
            cursor.execute(_LOOK_AT_HELD, [now, now, list(reasons)])


def _note_unheard(alerts: Iterable[Alert], now: datetime) -> None:
    AlertDecision.objects.bulk_create(
        [
            AlertDecision(
                alert=alert, at=now, sequence=alert.last_sequence, outcome=Outcome.DROPPED.value, stage="route",
                reason=RoutingReason.NO_CHANNEL.value,
            )
            for alert in alerts
        ],
        batch_size=1_000,
    )  # fmt: skip


def remove_empty_groups() -> int:
    """Remove groups whose alerts are gone altogether (their targets were purged). Returns how many."""
    members = GroupMember.objects.filter(group=OuterRef("pk"))
    with pipeline_lock():
        return AlertGroup.objects.filter(~Exists(members)).delete()[1].get("alerts.AlertGroup", 0)
