"""What is said about alerts, as plain JSON: one entry each, alone for a machine, together for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.alerts.channels.base import MessageType
from apps.alerts.messages import timestamp
from apps.alerts.models import Alert, AlertSource, Channel, Severity

# A message to people names so many alerts at most, the worst first; the rest are counted.
ENTRIES_LIMIT = 50
_RANK = {Severity.CRITICAL.value: 0, Severity.WARNING.value: 1, Severity.INFO.value: 2}


def web_url() -> str:
    return settings.PORTAL_WEB_URL.rstrip("/")


def alert_entry(alert: Alert, sources: Iterable[AlertSource], *, news: str = "", same_cause: int = 0) -> dict[str, Any]:
    """One alert as every message writes it. Reads its target with `namespace`, environment and acknowledging
    user: select them before.

    `news` is what is new about it: "opened", "raised", "acknowledged", "resolved", "reminder" or "". `same_cause`: for
    how many models of its provider besides its own it is told.
    """
    target, detail = alert.target, alert.detail
    active = [source for source in sources if source.ended_at is None or alert.resolved_at is not None]
    rules = [source.name for source in active if source.kind == AlertSource.Kind.RULE]
    return {
        "id": str(alert.pk),
        "state": "firing" if alert.resolved_at is None else "resolved",
        "severity": alert.severity,
        "cause": alert.cause,
        "reason": alert.reason,
        "environment": alert.environment.slug if alert.environment else None,
        "target": {
            "id": str(target.pk),
            "kind": target.kind,
            "name": target.name,
            "provider": target.provider_brief,
            "url": f"{web_url()}{target.get_absolute_url()}",
        }
        if target
        else None,
        "title": target.name if target else str(detail.get("title", "")) or alert.cause,
        "sources": [{"kind": source.kind, "name": source.name} for source in active],
        "rule": rules[0] if rules else None,
        "value": detail.get("value"),
        "level": detail.get("level"),
        "unit": detail.get("unit", ""),
        "operator": detail.get("operator", ""),
        "evidence": detail.get("evidence") or {},
        "started_at": timestamp(alert.started_at),
        "resolved_at": timestamp(alert.resolved_at) if alert.resolved_at else None,
        "acknowledged_by": acknowledged_by(alert),
        "url": f"{web_url()}{alert.get_absolute_url()}",
        "news": news,
        "same_cause": same_cause,
    }


def acknowledged_by(alert: Alert) -> str | None:
    """Who has it: a person, or the channel whose link was followed. None: nobody yet."""
    if alert.acknowledged_at is None:
        return None
    if alert.acknowledged_by_id is not None:
        return str(alert.acknowledged_by)
    return alert.acknowledged_through or "?"


def alert_brief(alert: Alert, sources: Iterable[AlertSource]) -> dict[str, Any]:
    """What an incident's message says of the alert it belongs to."""
    return {
        "id": str(alert.pk),
        "severity": alert.severity,
        "sources": [{"kind": source.kind, "name": source.name} for source in sources],
        "url": f"{web_url()}{alert.get_absolute_url()}",
        "same_cause": 0,
    }


def with_same_cause(payload: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A step for a machine, as a channel is told it for `number` more models of the provider."""
    data = payload["data"]
    return {**payload, "data": {**data, "alert": {**data["alert"], "same_cause": number}}}


def alert_payload(
    alert: Alert, sources: Iterable[AlertSource], *, type: str, at: datetime, sequence: int
) -> dict[str, Any]:
    """One step of an alert, for a machine."""
    entry = alert_entry(alert, sources)
    if type == MessageType.ALERT_RESOLVED:
        # The rules that fired it say so no more, even where an incident of the same target goes on.
        entry = {**entry, "state": "resolved", "resolved_at": entry["resolved_at"] or timestamp(at)}
    return {"type": type, "timestamp": timestamp(at), "data": {"alert": entry, "sequence": sequence}}


def people_payload(
    entries: Sequence[Mapping[str, Any]],
    *,
    form: str,
    at: datetime,
    labels: Mapping[str, Any],
    counted: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """One message for people, of any number of alerts (entries as `alert_entry` makes them).

    `form` is "group", "reminder", "storm" or "digest".
    """
    ordered = sorted(entries, key=lambda entry: (entry["state"] != "firing", _RANK.get(entry["severity"], 9)))
    firing = [entry for entry in ordered if entry["state"] == "firing"]
    named = ordered[:ENTRIES_LIMIT]
    status = status_of(ordered)
    return {
        "type": _type_of(form, status),
        "timestamp": timestamp(at),
        "data": {
            "form": form,
            "status": status,
            "severity": (firing or ordered)[0]["severity"] if ordered else Severity.INFO.value,
            "counts": dict(counted) if counted else counts_of(ordered),
            "labels": dict(labels),
            "url": ordered[0]["url"] if len(ordered) == 1 else f"{web_url()}/alerts/",
            "alerts": [dict(entry) for entry in named],
            "omitted": len(ordered) - len(named),
        },
    }


def counts_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many fire, how many are over, and how bad those that fire are."""
    counts = {"firing": 0, "resolved": 0, **dict.fromkeys(_RANK, 0)}
    for entry in entries:
        counts[entry["state"]] += 1
        if entry["state"] == "firing":
            counts[entry["severity"]] += 1
    return counts


def status_of(entries: Sequence[Mapping[str, Any]]) -> str:
    """What the whole message is about: "firing", "resolved", "acknowledged" (that alone is new) or "mixed"."""
    states = {entry["state"] for entry in entries}
    if states == {"firing"}:
        told = {entry["news"] for entry in entries} - {""}
        return "acknowledged" if told == {"acknowledged"} else "firing"
    return "resolved" if states == {"resolved"} else "mixed"


def _type_of(form: str, status: str) -> str:
    special = {
        "storm": MessageType.ALERT_STORM,
        "digest": MessageType.ALERT_DIGEST,
        "reminder": MessageType.ALERT_REMINDER,
    }
    if form in special:
        return special[form].value
    if status == "acknowledged":
        return MessageType.ALERT_ACKNOWLEDGED.value
    return (MessageType.ALERT_RESOLVED if status == "resolved" else MessageType.ALERT_FIRING).value


def test_payload(channel: Channel, *, notification: UUID, at: datetime) -> dict[str, Any]:
    """A message of the shape people get. Its subject is the channel itself: no target or alert is invented."""
    entry: dict[str, Any] = {
        "id": str(notification),
        "state": "firing",
        "severity": Severity.INFO.value,
        "cause": "test",
        "reason": "test",
        "environment": channel.environment.slug if channel.environment else None,
        "target": None,
        "title": channel.name,
        "sources": [],
        "rule": None,
        "value": None,
        "level": None,
        "unit": "",
        "operator": "",
        "evidence": {},
        "started_at": timestamp(at),
        "resolved_at": None,
        "acknowledged_by": None,
        "url": f"{web_url()}{channel.get_absolute_url()}",
        "news": "opened",
        "same_cause": 0,
    }
    return {**people_payload([entry], form="group", at=at, labels={}), "type": MessageType.CHANNEL_TEST.value}
