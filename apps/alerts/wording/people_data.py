"""What a message holds, in the one shape that is worded: that of `alert_messages.people_payload`. Pure.

A message for machines (one step of an incident or of an alert) is brought into it, so that a channel for people can
word whatever was stored for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.alerts.channels.base import Message, MessageType

_SEVERITIES = {"outage": "critical", "degraded": "warning"}
_RANKS = {"critical": 0, "warning": 1, "info": 2}


def people_data(message: Message) -> dict[str, Any]:
    """`form`, `status`, `severity`, `counts`, `url`, `alerts` and `omitted` of a message, whatever it was made for."""
    data = message.data
    if isinstance(data.get("alerts"), list):
        alerts = [dict(entry) for entry in data["alerts"] if isinstance(entry, Mapping)]
        return {**data, "alerts": alerts, "counts": _mapping(data.get("counts")) or counts_of(alerts)}
    entry = dict(data["alert"]) if isinstance(data.get("alert"), Mapping) and not data.get("incident") else None
    return _of_one(entry or _entry_of_incident(message), message.type)


def counts_of(alerts: list[dict[str, Any]]) -> dict[str, int]:
    """How many fire, how many are over, and how bad those that fire are."""
    counts = {"firing": 0, "resolved": 0, **dict.fromkeys(_RANKS, 0)}
    for entry in alerts:
        state = "resolved" if entry.get("state") == "resolved" else "firing"
        counts[state] += 1
        if state == "firing":
            counts[severity_of(entry)] += 1
    return counts


def severity_of(entry: Mapping[str, Any]) -> str:
    severity = entry.get("severity")
    return severity if severity in _RANKS else "warning"


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _of_one(entry: dict[str, Any], message_type: str) -> dict[str, Any]:
    acknowledged = message_type in (MessageType.INCIDENT_ACKNOWLEDGED, MessageType.ALERT_ACKNOWLEDGED)
    status = "resolved" if entry.get("state") == "resolved" else "acknowledged" if acknowledged else "firing"
    return {
        "form": "group",
        "status": status,
        "severity": severity_of(entry),
        "counts": counts_of([entry]),
        "url": entry.get("url") or "",
        "alerts": [entry],
        "omitted": 0,
    }


def _entry_of_incident(message: Message) -> dict[str, Any]:
    incident, target = _mapping(message.data.get("incident")), _mapping(message.data.get("target"))
    change, alert = _mapping(message.data.get("change")), _mapping(message.data.get("alert"))
    resolved = message.type == MessageType.INCIDENT_RESOLVED or bool(incident.get("resolved_at"))
    is_test = message.type == MessageType.CHANNEL_TEST
    return {
        "id": incident.get("id"),
        "state": "resolved" if resolved else "firing",
        "severity": "info" if is_test else _SEVERITIES.get(str(incident.get("severity")), "critical"),
        "cause": "test" if is_test else "status",
        "reason": change.get("reason") or "",
        "environment": target.get("environment"),
        "target": target,
        "title": target.get("name") or "",
        "evidence": _mapping(change.get("evidence")),
        "started_at": incident.get("opened_at"),
        "resolved_at": incident.get("resolved_at"),
        "acknowledged_by": incident.get("acknowledged_by"),
        "url": incident.get("url") or target.get("url") or "",
        "same_cause": alert.get("same_cause"),
        "news": {
            MessageType.INCIDENT_UPDATED: "raised",
            MessageType.INCIDENT_ACKNOWLEDGED: "acknowledged",
        }.get(MessageType(message.type), "")
        if message.type in set(MessageType)
        else "",
    }
