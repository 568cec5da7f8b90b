"""What a notification says, as plain JSON: taken when it is routed, kept with it, sent as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.alerts.channels.base import MessageType
from apps.alerts.models import Channel
from apps.checks.models import Incident, IncidentEvent

# Notes are for people who look at the timeline; no channel is told.
EVENT_TYPES: dict[str, MessageType] = {
    IncidentEvent.Kind.OPENED: MessageType.INCIDENT_OPENED,
    IncidentEvent.Kind.UPDATED: MessageType.INCIDENT_UPDATED,
    IncidentEvent.Kind.ACKNOWLEDGED: MessageType.INCIDENT_ACKNOWLEDGED,
    IncidentEvent.Kind.RESOLVED: MessageType.INCIDENT_RESOLVED,
}


def timestamp(moment: datetime) -> str:
    """A moment as every message writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incident_payload(event: IncidentEvent, *, web_url: str) -> dict[str, Any]:
    """The message of one event, with its incident as it stood at that moment.

    Reads `event.incident`, its target with `namespace`, environment and acknowledging user: select them beforehand.
    """
    target = event.incident.target
    return {
        "type": EVENT_TYPES[event.kind].value,
        "timestamp": timestamp(event.at),
        "data": {
            "incident": _incident(event, web_url),
            "target": {
                "id": str(target.pk),
                "kind": target.kind,
                "name": target.name,
                "provider": target.provider_brief,
                "environment": target.environment.slug,
                "url": f"{web_url}{target.get_absolute_url()}",
            },
            "change": _change(event.change),
            "sequence": event.sequence,
        },
    }


_IN_ORDER = ("form", "status", "severity", "counts", "incident", "alert", "target", "change", "alerts", "sequence")


def in_reading_order(payload: dict[str, Any]) -> dict[str, Any]:
    """A stored payload as it was made: PostgreSQL keeps the keys of an object in an order of its own."""
    data = {key: payload["data"][key] for key in _IN_ORDER if key in payload["data"]}
    return {"type": payload["type"], "timestamp": payload["timestamp"], "data": {**data, **payload["data"]}}


def _incident(event: IncidentEvent, web_url: str) -> dict[str, Any]:
    """Routing may come later than the next event, so what happened after this one is left out."""
    incident = event.incident
    severity = event.change.get("to")
    acknowledged = incident.acknowledged_at is not None and incident.acknowledged_at <= event.at
    resolved = incident.resolved_at is not None and incident.resolved_at <= event.at
    return {
        "id": str(incident.pk),
        "url": f"{web_url}{incident.get_absolute_url()}",
        "severity": severity if severity in Incident.Severity.values else incident.severity,
        "opened_at": timestamp(incident.opened_at),
        "acknowledged_at": timestamp(incident.acknowledged_at) if acknowledged and incident.acknowledged_at else None,
        "acknowledged_by": str(incident.acknowledged_by) if acknowledged and incident.acknowledged_by else None,
        "resolved_at": timestamp(incident.resolved_at) if resolved and incident.resolved_at else None,
        "resolution": incident.resolution if resolved else None,
    }


def _change(change: dict[str, Any]) -> dict[str, Any]:
    return {
        "from": change.get("from"),
        "to": change.get("to"),
        "reason": change.get("reason", ""),
        "evidence": change.get("evidence") or {},
    }


def channel_test_payload(channel: Channel, *, notification: UUID, at: datetime, web_url: str) -> dict[str, Any]:
    """A message of the same shape as a real one, so that a receiver's parsing is tested too.

    Its subject is the channel itself: no target or incident is invented. Only the type says that nothing happened.
    """
    return {
        "type": MessageType.CHANNEL_TEST.value,
        "timestamp": timestamp(at),
        "data": {
            "incident": {
                "id": str(notification),
                "url": f"{web_url}/alerts/notifications/{notification}/",
                "severity": Incident.Severity.DEGRADED.value,
                "opened_at": timestamp(at),
                "acknowledged_at": None,
                "acknowledged_by": None,
                "resolved_at": None,
                "resolution": None,
            },
            "target": {
                "id": str(channel.pk),
                "kind": "channel",
                "name": channel.name,
                "provider": None,
                "environment": channel.environment.slug if channel.environment else None,
                "url": f"{web_url}{channel.get_absolute_url()}",
            },
            "change": {"from": "operational", "to": "operational", "reason": "test", "evidence": {}},
            "sequence": 0,
        },
    }
