"""From decisions to rows: notifications, what each member was told, and when its group is looked at again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from apps.alerts.alert_messages import alert_entry, counts_of, people_payload, with_same_cause
from apps.alerts.channels.base import DeliveryReason
from apps.alerts.models import Alert, AlertDecision, AlertEvent, AlertGroup, GroupMember, Notification
from apps.alerts.pipeline.enrolment import next_digest
from apps.alerts.pipeline.loading import Due, load_due
from apps.alerts.pipeline.saving import save_groups, save_members
from apps.alerts.stages import run
from apps.alerts.stages.context import Candidate, Decision, Delivery, EventFacts, Outcome, RoutingReason
from apps.alerts.stages.news import AlertNews, news_of, next_reminder
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News, announce_all

# What is held is looked at again at least so often: a parent is measured, a silence is ended early. (`enrolment` looks
# at once where it knows of it; this is for what it does not.)
LOOK_AGAIN_SECONDS = 60
LOOK_FOR_PARENT_SECONDS = 2
LOOK_AGAIN_AT_LEAST_SECONDS = 1
# With one of these an alert that is over is done with.
_FINAL = (RoutingReason.NEVER_TOLD, RoutingReason.NOTHING_NEW, RoutingReason.OTHER_ENVIRONMENT)


def flush_due(limit: int, now: datetime) -> int:
    """Look at the groups that are due, run the stages and write what follows. Returns how many groups."""
    due = load_due(limit, now)
    if due is None:
        return 0
    context = run(due.context, due.candidates)
    made = _write_notifications(due, context.deliveries)
    _write_decisions(due, context.deliveries, context.decisions, made, now)
    _mark_told(due, context.deliveries, context.decisions, now)
    _look_again(due, context.decisions, now)
    return len(due.groups)


# --- Notifications ----------------------------------------------------------------------------------------


def _write_notifications(due: Due, deliveries: Sequence[Delivery]) -> dict[int, UUID]:
    """Insert one notification a delivery. Returns their ids by the delivery's place in the list."""
    for_machines = _payloads(delivery.event.id for delivery in deliveries if delivery.event is not None)
    over = _supersede([group for delivery in deliveries for group in _replaced(delivery)])
    rows = []
    for delivery in deliveries:
        if delivery.event is not None:
            rows.append(_machine_row(due, delivery, delivery.event, for_machines[delivery.event.id]))
        else:
            rows.append(_people_row(due, delivery, _carried(delivery, over)))
    # `alerts_told_once` makes a repeat harmless.
    Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)
    stored = set(Notification.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    through = Notification.alerts.through
    through.objects.bulk_create(
        [
            through(notification_id=row.pk, alert_id=alert)
            for row, delivery in zip(rows, deliveries, strict=True)
            if row.pk in stored
            for alert in (
                *(candidate.alert.id for candidate in delivery.candidates),
                *(carried.alert for carried in _carried(delivery, over)),
            )
        ],
        ignore_conflicts=True,
        batch_size=5_000,
    )
    at = clock.now()
    announce_all(
        [
            News(type="notification.pending", ids=(row.pk,), environment=row.environment_id, at=at)
            for row in rows
            if row.pk in stored
        ]
    )
    return {place: row.pk for place, row in enumerate(rows) if row.pk in stored}


def _payloads(events: Iterable[UUID]) -> dict[UUID, Any]:
    return dict(AlertEvent.objects.filter(pk__in=list(events)).values_list("id", "payload"))


def _machine_row(due: Due, delivery: Delivery, event: EventFacts, payload: Mapping[str, Any]) -> Notification:
    [candidate] = delivery.candidates
    alert = due.alerts[candidate.alert.id]
    if candidate.stands_for and candidate.alert.is_firing:
        payload = with_same_cause(payload, candidate.stands_for)
    return Notification(
        id=uuid7(),
        channel_id=delivery.group.channel.id,
        environment_id=alert.environment_id,
        source=event.source,
        kind=event.type,
        incident_id=alert.incident_id,
        lane=alert.pk,
        sequence=event.sequence,
        payload=payload,
        # The database's clock, as in every claim.
        not_before=Now(),
        created_at=Now(),
    )


@dataclass(frozen=True)
class _Carried:
    """What a message that nobody got said of an alert, taken over by the one that replaces it."""

    alert: UUID
    environment: UUID | None
    entry: Mapping[str, Any]


def _carried(delivery: Delivery, over: Mapping[UUID, list[_Carried]]) -> list[_Carried]:
    """What this message would not say by itself: that something is over, or began before it was held."""
    said = {candidate.alert.id for candidate in delivery.candidates}
    found = {one.alert: one for group in _replaced(delivery) for one in over.get(group, [])}
    return [one for one in found.values() if one.alert not in said]


def _people_row(due: Due, delivery: Delivery, carried: list[_Carried]) -> Notification:
    # A storm card may find one alert in two groups of its channel.
    candidates = list({candidate.alert.id: candidate for candidate in delivery.candidates}.values())
    alerts = [due.alerts[candidate.alert.id] for candidate in candidates]
    entries = [
        alert_entry(
            alert,
            due.sources.get(alert.pk, []),
            news=news_of(candidate, due.context.now).value,
            same_cause=candidate.stands_for,
        )
        for alert, candidate in zip(alerts, candidates, strict=True)
    ]
    entries += [dict(one.entry) for one in carried]
    # Whoever reads a message reads all of it, so it belongs to an environment only if all of it does.
    environments = {alert.environment_id for alert in alerts} | {one.environment for one in carried}
    incidents = {alert.incident_id for alert in alerts} | {None for _one in carried}
    identifier = uuid7()
    is_storm = delivery.form == "storm"
    payload = people_payload(
        entries, form=delivery.form, at=clock.now(), labels=delivery.group.labels, counted=counts_of(entries)
    )
    return Notification(
        id=identifier,
        channel_id=delivery.group.channel.id,
        environment_id=environments.pop() if len(environments) == 1 else None,
        source=identifier,
        kind=payload["type"],
        incident_id=incidents.pop() if len(incidents) == 1 else None,
        lane=delivery.group.channel.id if is_storm else delivery.group.id,
        replaceable=not is_storm,
        sequence=delivery.group.sequence + 1,
        payload=payload,
        not_before=Now(),
        created_at=Now(),
    )


def _replaced(delivery: Delivery) -> list[UUID]:
    """Groups of which this message says all there is to say. A storm card too: what still waits for one of its groups
    would come after it, and say that something fires which the card has told the end of."""
    if delivery.event is not None:
        return []
    groups = (candidate.group for candidate in delivery.candidates)
    return list(dict.fromkeys(group.id for group in groups if group.mode == AlertGroup.Mode.GROUP))


# What in a message that is replaced was not new.
_NO_NEWS = (AlertNews.NONE.value, AlertNews.REMINDER.value)
_SUPERSEDE = """
    UPDATE alerts_notification SET state = 'dropped', reason = %s, finished_at = statement_timestamp()
    WHERE id IN (
        SELECT id FROM alerts_notification
        WHERE lane = ANY(%s) AND replaceable AND state = 'pending' FOR UPDATE SKIP LOCKED
    )
    RETURNING lane, payload -> 'data' -> 'alerts'
"""


def _supersede(lanes: list[UUID]) -> dict[UUID, list[_Carried]]:
    """Drop what still waits for these groups: what follows says it all. Returns what was news in it, by group."""
    if not lanes:
        return {}
    found: dict[UUID, dict[UUID, Mapping[str, Any]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, [DeliveryReason.SUPERSEDED.value, lanes])
        for lane, stored in cursor.fetchall():
            # Django leaves the JSON of a raw statement as text.
            entries = stored if isinstance(stored, list) else json.loads(stored or "[]")
            news = {UUID(entry["id"]): entry for entry in entries if entry.get("news", "") not in _NO_NEWS}
            found.setdefault(lane, {}).update(news)
    if not any(found.values()):
        return {}
    alerts = Alert.objects.filter(pk__in={alert for entries in found.values() for alert in entries})
    environments = dict(alerts.values_list("pk", "environment_id"))
    return {
        lane: [_Carried(alert, environments[alert], entry) for alert, entry in entries.items() if alert in environments]
        for lane, entries in found.items()
    }


# --- Decisions --------------------------------------------------------------------------------------------


def _write_decisions(
    due: Due, deliveries: Sequence[Delivery], decisions: Sequence[Decision], made: Mapping[int, UUID], now: datetime
) -> None:
    """One row for each delivery of each alert, and one whenever what keeps it from being told changes."""
    sent = {
        (decision.candidate.group.id, decision.candidate.alert.id): decision
        for decision in decisions
        if decision.outcome is Outcome.SENT
    }
    rows = []
    for place, delivery in enumerate(deliveries):
        for candidate in delivery.candidates:
            key = (candidate.group.id, candidate.alert.id)
            due.members[key].decided = ""
            told = sent[key]
            rows.append(
                _row(candidate, told.outcome, told.stage, told.reason, told.detail, now, notification=made.get(place))
            )
    for decision in decisions:
        if decision.outcome is Outcome.SENT or decision.reason is RoutingReason.NOTHING_NEW:
            continue
        member = due.members[decision.candidate.group.id, decision.candidate.alert.id]
        summary = _summary(decision)
        if member.decided != summary:
            member.decided = summary
            detail = dict(decision.detail)
            if decision.until is not None:
                detail["until"] = decision.until.isoformat()
            rows.append(_row(decision.candidate, decision.outcome, decision.stage, decision.reason, detail, now))
    AlertDecision.objects.bulk_create(rows, batch_size=1_000)


def _summary(decision: Decision) -> str:
    about = decision.detail.get("silence") or decision.detail.get("parent") or decision.detail.get("alert") or ""
    return f"{decision.outcome.value} {decision.reason.value} {about}"[:200]


def _row(
    candidate: Candidate,
    outcome: Outcome,
    stage: str,
    reason: RoutingReason,
    detail: Mapping[str, Any],
    now: datetime,
    *,
    notification: UUID | None = None,
) -> AlertDecision:
    return AlertDecision(
        alert_id=candidate.alert.id,
        channel_id=candidate.group.channel.id,
        route_id=candidate.group.route,
        notification_id=notification,
        at=now,
        sequence=candidate.alert.sequence,
        outcome=outcome.value,
        stage=stage,
        reason=reason.value,
        detail={name: str(value) if isinstance(value, UUID) else value for name, value in detail.items()},
    )


# --- What was told, and when to look again ----------------------------------------------------------------


def _mark_told(due: Due, deliveries: Sequence[Delivery], decisions: Sequence[Decision], now: datetime) -> None:
    """Move the members on, and let go of those that are over."""
    told_groups = set()
    for delivery in deliveries:
        for candidate in delivery.candidates:
            member = due.members[candidate.group.id, candidate.alert.id]
            told_groups.add(candidate.group.id)
            if delivery.event is None:
                _told_as_it_stands(member, candidate)
            else:
                _told_step(member, delivery.event)
    finished = [
        member.pk
        for (_group, alert), member in due.members.items()
        if due.alerts[alert].resolved_at is not None and member.told_sequence >= due.alerts[alert].last_sequence
    ]
    finished += [
        due.members[decision.candidate.group.id, decision.candidate.alert.id].pk
        for decision in decisions
        if decision.reason in _FINAL and not decision.candidate.alert.is_firing
    ]
    gone = set(finished)
    save_members([member for member in due.members.values() if member.pk not in gone])
    GroupMember.objects.filter(pk__in=gone).delete()
    for group in due.groups.values():
        group.flushed_at = now
        if group.pk in told_groups:
            group.told_at, group.sequence = now, group.sequence + 1


def _told_as_it_stands(member: GroupMember, candidate: Candidate) -> None:
    member.told_sequence = candidate.alert.sequence
    member.told_state = "firing" if candidate.alert.is_firing else "resolved"
    member.told_severity = candidate.alert.severity
    member.told_acknowledged = candidate.alert.acknowledged


def _told_step(member: GroupMember, event: EventFacts) -> None:
    member.told_sequence = max(member.told_sequence, event.sequence)
    member.told_severity = event.severity
    member.told_state = "resolved" if event.kind == "resolved" else "firing"


def _look_again(due: Due, decisions: Sequence[Decision], now: datetime) -> None:
    """The next moment each group is worth a look; empty groups go."""
    until: dict[UUID, list[datetime]] = {}
    for decision in decisions:
        if decision.outcome is Outcome.HELD:
            until.setdefault(decision.candidate.group.id, []).append(_look_at_held(decision, now))
    for candidate in due.candidates:
        # What was told just now counts from now.
        reminder = next_reminder(candidate, due.groups[candidate.group.id].told_at)
        # One that is over by now was held with what it reminds of, and is not waited for.
        if reminder is not None and reminder > now:
            until.setdefault(candidate.group.id, []).append(reminder)
    kept = set(GroupMember.objects.filter(group__in=due.groups).values_list("group_id", flat=True))
    soonest = now + timedelta(seconds=LOOK_AGAIN_AT_LEAST_SECONDS)
    for group in due.groups.values():
        moments = until.get(group.pk)
        group.due_at = max(soonest, min(moments)) if moments else None
        if group.mode == AlertGroup.Mode.DIGEST and group.due_at is not None:
            group.due_at = next_digest(group.channel.time_zone, now)
    save_groups([group for group in due.groups.values() if group.pk in kept])
    AlertGroup.objects.filter(pk__in=[group for group in due.groups if group not in kept]).delete()


def _look_at_held(decision: Decision, now: datetime) -> datetime:
    waiting = decision.reason is RoutingReason.WAITING_FOR_PARENT
    often = now + timedelta(seconds=LOOK_FOR_PARENT_SECONDS if waiting else LOOK_AGAIN_SECONDS)
    return min(decision.until, often) if decision.until is not None else often
