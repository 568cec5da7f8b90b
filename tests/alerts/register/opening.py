"""Alerts as the pipeline opens them, and channels for people, for stories about who hears of what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.alerts.labels import labels_of
from apps.alerts.models import Alert, Channel
from apps.alerts.pipeline import sources
from apps.alerts.pipeline.lock import pipeline_lock
from apps.catalog.models import Environment, Target
from apps.core import clock
from apps.core.ids import uuid7


def open_alert(target: Target | None = None, *, cause: str = "latency", severity: str = "critical") -> Alert:
    """An alert that a rule has just opened; its first step waits in the outbox."""
    change = _change(target, cause, severity)
    with pipeline_lock():
        sources.apply_changes([change])
    return Alert.objects.get(fingerprint=change.fingerprint, resolved_at__isnull=True)


def end_alert(alert: Alert) -> None:
    """Its rule says so no more."""
    with pipeline_lock():
        sources.end_sources("rule", alert.sources.values_list("key", flat=True), clock.now())


def _change(target: Target | None, cause: str, severity: str) -> sources.SourceChange:
    identifier: UUID | None = target.pk if target else None
    return sources.SourceChange(
        fingerprint=sources.fingerprint(identifier, cause),
        cause=cause,
        kind="rule",
        key=str(uuid7()),
        name="Slow answers",
        severity=severity,
        at=clock.now(),
        environment=target.environment_id if target else None,
        target=identifier,
        labels=labels_of([identifier])[identifier] if identifier else {},
        detail={"value": 3.2, "level": 2.0, "unit": "s", "operator": ">"},
    )


def channel_for_people(name: str = "Team", environment: Environment | None = None, **fields: Any) -> Channel:
    """A webhook of a chat: told in groups, as people are."""
    config = {"url": "http://127.0.0.1:9/hook", "secret": "", "grouped": True}
    return Channel.objects.create(name=name, kind="webhook", config=config, environment=environment, **fields)


def channel_for_machines(name: str = "Pager", environment: Environment | None = None, **fields: Any) -> Channel:
    config = {"url": "http://127.0.0.1:9/hook", "secret": ""}
    return Channel.objects.create(name=name, kind="webhook", config=config, environment=environment, **fields)
