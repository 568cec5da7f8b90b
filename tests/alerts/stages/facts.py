"""Facts as the stages are given them: a critical alert that nobody was told of, in a group of its own, unless said
otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.alerts.stages import run
from apps.alerts.stages.context import (
    AlertFacts,
    Candidate,
    ChannelFacts,
    Decision,
    Delivery,
    EventFacts,
    GroupFacts,
    ParentFacts,
    RoutingContext,
)

# A Wednesday.
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
PROD, DEV = UUID(int=1), UUID(int=2)
TARGET = UUID(int=50)

PEOPLE = ChannelFacts(UUID(int=10), None)
MACHINE = ChannelFacts(UUID(int=11), None, machine=True)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def ahead(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def alert(number: int = 1, severity: str = "critical", **fields: Any) -> AlertFacts:
    values: dict[str, Any] = {
        "id": UUID(int=1_000 + number),
        "fingerprint": f"{TARGET}:{number}",
        "cause": "status",
        "environment": PROD,
        "target": TARGET,
        "severity": severity,
        "labels": {"environment": "prod", "severity": severity, "kind": "service", "tag": ["shop"]},
        "started_at": ago(300),
        "sequence": 1,
    }
    return AlertFacts(**{**values, **fields})


def resolved(number: int = 1, severity: str = "critical", **fields: Any) -> AlertFacts:
    return alert(number, severity, **{"resolved_at": ago(1), "sequence": 2, **fields})


def group_of(channel: ChannelFacts = PEOPLE, number: int = 1, **fields: Any) -> GroupFacts:
    values: dict[str, Any] = {
        "id": UUID(int=2_000 + number + (500 if channel.machine else 0)),
        "channel": channel,
        "route": None,
        "mode": "each" if channel.machine else "group",
        "labels": {},
        "group_interval_seconds": 60,
        "repeat_interval_seconds": 14_400,
        "told_at": None,
        "sequence": 0,
    }
    return GroupFacts(**{**values, **fields})


def step(number: int, kind: str = "firing", severity: str = "critical") -> EventFacts:
    return EventFacts(
        UUID(int=3_000 + number), number, kind, f"incident.{kind}", UUID(int=4_000 + number), NOW, severity
    )


def untold(of: AlertFacts | None = None, group: GroupFacts | None = None, **fields: Any) -> Candidate:
    return Candidate(group or group_of(), of or alert(), **fields)


def told(of: AlertFacts | None = None, group: GroupFacts | None = None, **fields: Any) -> Candidate:
    """Told while it was firing, ten minutes ago, as severe as it is now."""
    of = of or alert()
    group = group or group_of()
    group = group if group.told_at else replace(group, told_at=ago(600))
    values: dict[str, Any] = {
        "told_sequence": 1,
        "told_state": "firing",
        "told_severity": of.severity,
        "told_acknowledged": of.acknowledged,
    }
    return Candidate(group, of, **{**values, **fields})


def for_machine(of: AlertFacts | None = None, steps: Sequence[EventFacts] = (), **fields: Any) -> Candidate:
    of = of or alert()
    return Candidate(group_of(MACHINE, of.id.int - 1_000), of, news=tuple(steps or (step(1),)), **fields)


def parent(**fields: Any) -> ParentFacts:
    values: dict[str, Any] = {
        "target": UUID(int=60),
        "name": "Gateway",
        "firing_alert": None,
        "is_outage": False,
        "is_operational": True,
        "last_result_at": NOW,
    }
    return ParentFacts(**{**values, **fields})


def looked_at(*candidates: Candidate, **fields: Any) -> RoutingContext:
    return run(RoutingContext(now=fields.pop("now", NOW), **fields), candidates)


def decided(*candidates: Candidate, **fields: Any) -> list[tuple[str, str, str]]:
    """Outcome, stage and reason of each candidate, in the order they were given."""
    decisions = looked_at(*candidates, **fields).decisions
    found = [next(one for one in decisions if one.candidate is candidate) for candidate in candidates]
    return [(one.outcome.value, one.stage, one.reason.value) for one in found]


def only(decisions: Sequence[Decision]) -> Decision:
    [decision] = decisions
    return decision


def forms(deliveries: Sequence[Delivery]) -> list[tuple[str, int]]:
    """The form of each message and how many alerts it names."""
    return [(delivery.form, len(delivery.candidates)) for delivery in deliveries]
