"""From what says so to alerts: one alert a fingerprint, however many sources, opened by the first and ended by the last.

The only writer of alerts and their events. Callers hold `pipeline.lock`, so that two of them never open one cause
twice; the constraint `alerts_one_open_a_fingerprint` is the second guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class WireEvent:
    """An incident's event as machines are told it: `source` is the IncidentEvent, `type` the word on the wire."""

    source: UUID
    type: str
    kind: str
    at: datetime
    payload: Mapping[str, Any]
    actor: int | None = None


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


def apply_changes(changes: Sequence[SourceChange]) -> list[UUID]:
    """Take every change one step, in order. Returns the ids of the alerts that have something to tell.

    Set-based: a fixed number of queries, whatever the number of changes. Runs inside the caller's transaction.
    """
    raise NotImplementedError


def end_sources(kind: str, keys: Iterable[str], at: datetime) -> list[UUID]:
    """End every open source of these keys (a rule was deleted, a channel works again)."""
    raise NotImplementedError
