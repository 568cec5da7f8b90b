"""What every story of telling needs: a target with an incident, a channel, and somebody to receive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.alerts.delivery import deliver_due
from apps.alerts.door import open_door
from apps.alerts.models import Channel, Notification
from apps.alerts.routing import route_all
from apps.alerts.services import create_channel
from apps.catalog.models import Environment
from apps.catalog.services import create_service
from apps.checks.models import Incident, IncidentEvent
from apps.core import clock

# 32 bytes of nothing, in the form the specification asks for.
SECRET = "whsec_" + "A" * 43 + "="


def environment(slug: str = "prod") -> Environment:
    return Environment.objects.get(slug=slug)


def make_channel(url: str, *, name: str = "Pager", where: str | None = None, secret: str = SECRET) -> Channel:
    channel, _shown = create_channel(
        actor=None,
        name=name,
        kind="webhook",
        config={"url": url, "secret": secret},
        environment=environment(where) if where else None,
    )
    return channel


def make_incident(name: str = "Shop", *, where: str = "prod") -> Incident:
    """An open incident of a new service, its `opened` event waiting in the outbox."""
    service = create_service(actor=None, name=name, environment=environment(where))
    target: Any = getattr(service, "target", service)
    incident = Incident.objects.create(
        target=target, severity="outage", reason="status_mismatch", opened_at=clock.now()
    )
    happen(incident, "opened", to="outage")
    return incident


def happen(incident: Incident, kind: str, *, to: str = "outage", evidence: dict[str, Any] | None = None) -> None:
    """One more event of an incident, as `checks` writes it."""
    incident.last_sequence += 1
    incident.save(update_fields=["last_sequence"])
    IncidentEvent.objects.create(
        incident=incident,
        kind=kind,
        at=clock.now(),
        sequence=incident.last_sequence,
        change={
            "from": "operational",
            "to": to,
            "reason": "status_mismatch",
            "evidence": evidence or {"expected": 200, "actual": 503},
        },
    )


def deliver() -> int:
    """Route and send whatever is due. Returns the number of attempts."""
    route_all()
    return deliver_due(open_door())


def make_due(notification: UUID | None = None) -> None:
    """As if the time of every waiting retry had come."""
    rows = Notification.objects.filter(state=Notification.State.PENDING)
    rows = rows.filter(pk=notification) if notification else rows
    rows.update(not_before=clock.now() - timedelta(seconds=1))


def close_breakers() -> None:
    Channel.objects.update(failures=0, open_until=None)


def lose_sender(notification: Notification) -> None:
    """As if the process that claimed it had been killed, and its lease had run out since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE alerts_notification SET lease_until = statement_timestamp() - interval '1 second' WHERE id = %s",
            [notification.pk],
        )


def only(channel: Channel | None = None) -> Notification:
    """The one notification there is."""
    rows = Notification.objects.all()
    return (rows.filter(channel=channel) if channel else rows).get()
