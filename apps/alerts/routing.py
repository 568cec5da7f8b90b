"""From the outbox of checks to notifications: claim, plan, insert and mark, in one transaction.

Any number of processes may route at once. A row is claimed under SKIP LOCKED and marked in the transaction that
inserts what follows from it, so nothing is told twice and nothing is forgotten; two processes may take two events of
one incident in the wrong order, which the claim in `delivery` makes harmless.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.alerts.channels.base import MessageType
from apps.alerts.messages import EVENT_TYPES, incident_payload
from apps.alerts.models import Channel, Notification
from apps.alerts.stages import RoutingContext, plan
from apps.alerts.stages.context import ChannelFacts, EventFacts, Planned
from apps.checks.models import IncidentEvent
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News, announce_all

BATCH = 200


def route_all() -> int:
    """Route until the outbox is empty. Returns how many events were routed."""
    total = 0
    while (routed := route_pending(BATCH)) > 0:
        total += routed
    return total


@transaction.atomic
def route_pending(limit: int = BATCH) -> int:
    """Route one batch, oldest first. Returns how many outbox rows were taken. Five queries, whatever the number."""
    events = list(
        IncidentEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(routed_at__isnull=True)
        .select_related("incident__target__environment", "incident__acknowledged_by")
        .order_by("id")[:limit]
    )
    if events:
        planned = plan(RoutingContext(events=_facts(events), channels=_channels())).deliveries
        _insert(planned, events)
        IncidentEvent.objects.filter(pk__in=[event.pk for event in events]).update(routed_at=Now())
    return len(events) + _pass_over_state_changes(limit)


def _facts(events: Iterable[IncidentEvent]) -> tuple[EventFacts, ...]:
    return tuple(
        EventFacts(
            id=event.pk,
            type=EVENT_TYPES[event.kind].value,
            incident=event.incident_id,
            environment=event.incident.target.environment_id,
            sequence=event.sequence,
        )
        for event in events
        if event.kind in EVENT_TYPES
    )


def _channels() -> tuple[ChannelFacts, ...]:
    rows = Channel.objects.present().filter(enabled=True).order_by("id").values_list("id", "environment_id")
    return tuple(ChannelFacts(id=identifier, environment=environment) for identifier, environment in rows)


def _insert(planned: Iterable[Planned], events: Iterable[IncidentEvent]) -> None:
    payloads = {
        event.pk: incident_payload(event, web_url=settings.PORTAL_WEB_URL.rstrip("/"))
        for event in events
        if event.kind in EVENT_TYPES
    }
    rows = [_notification(entry, payloads[entry.event.id]) for entry in planned]
    # `alerts_told_once` makes a repeat harmless.
    Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)
    announce_all(
        [
            News(type="notification.pending", ids=(row.pk,), environment=row.environment_id, at=clock.now())
            for row in rows
        ]
    )


def _notification(entry: Planned, payload: dict[str, object]) -> Notification:
    return Notification(
        id=uuid7(),
        channel_id=entry.channel.id,
        environment_id=entry.event.environment,
        source=entry.event.id,
        kind=MessageType(entry.event.type),
        incident_id=entry.event.incident,
        sequence=entry.event.sequence,
        payload=payload,
        # The database's clock, as in every claim.
        not_before=Now(),
        created_at=Now(),
    )


_MARK_CHANGES = """
    UPDATE checks_statechange SET routed_at = statement_timestamp()
    WHERE id IN (
        SELECT id FROM checks_statechange WHERE routed_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def _pass_over_state_changes(limit: int) -> int:
    """No channel subscribes to changes of state yet, so theirs is an outbox that is only emptied."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_CHANGES, [limit])
        return int(cursor.rowcount)
