"""What the stages see: one explicit object, nothing smuggled. Plain values, read beforehand in a few queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.alerts.matching import Labels, Matcher
from apps.alerts.times import TimeRange


@dataclass(frozen=True)
class EventFacts:
    """One step of an alert. `type` is the word on the wire; `source` what makes a repeat harmless."""

    id: UUID
    sequence: int
    kind: str
    type: str
    source: UUID
    at: datetime
    severity: str


@dataclass(frozen=True)
class ParentFacts:
    """A target ours depends on: its open outage or degradation, if it has one, and when it was last looked at."""

    target: UUID
    name: str
    firing_alert: UUID | None
    is_outage: bool
    is_operational: bool
    last_result_at: datetime | None
    enabled: bool = True


@dataclass(frozen=True)
class KinFacts:
    """An alert that says the same of the same provider as ours (its key, its account, its address), and is told for
    all of them. `resolved_at`: it is over, and ours may be without having been looked at."""

    alert: UUID
    name: str
    resolved_at: datetime | None = None


@dataclass(frozen=True)
class AlertFacts:
    """One alert as it stands. `parents` are all targets it depends on, near and far; `last_result_at` is when its own
    was last looked at."""

    id: UUID
    fingerprint: str
    cause: str
    environment: UUID | None
    target: UUID | None
    severity: str
    labels: Labels
    started_at: datetime
    resolved_at: datetime | None = None
    acknowledged: bool = False
    hold_seconds: float = 0.0
    sequence: int = 0
    in_maintenance: bool = False
    parents: tuple[ParentFacts, ...] = ()
    last_result_at: datetime | None = None

    @property
    def is_firing(self) -> bool:
        return self.resolved_at is None


@dataclass(frozen=True)
class ChannelFacts:
    """A channel that is present and switched on. `machine`: every step by itself. `sent_lately`: moments of the last
    minute at which messages for people were made for it; `storm_until`: until when a storm card is the last word."""

    id: UUID
    environment: UUID | None
    machine: bool = False
    quiet_hours: tuple[TimeRange, ...] = ()
    time_zone: str = "UTC"
    sent_lately: tuple[datetime, ...] = ()
    storm_until: datetime | None = None


@dataclass(frozen=True)
class GroupFacts:
    """A group that is due, with the times of its route. `digest_at`: when a digest is next to go out."""

    id: UUID
    channel: ChannelFacts
    route: UUID | None
    mode: str
    labels: Mapping[str, Any]
    group_interval_seconds: float
    repeat_interval_seconds: float
    told_at: datetime | None
    sequence: int
    digest_at: datetime | None = None


@dataclass(frozen=True)
class Candidate:
    """One alert that one channel may be told of now: the member of a due group, and what it was told before."""

    group: GroupFacts
    alert: AlertFacts
    told_sequence: int = 0
    told_state: str = ""
    told_severity: str = ""
    told_acknowledged: bool = False
    # The steps after the last one told, in order.
    news: tuple[EventFacts, ...] = ()
    # The last look held it: a machine is spared what began and ended meanwhile.
    held: bool = False
    # What the channel is told instead, as long as that fires.
    kin: tuple[KinFacts, ...] = ()
    # For how many models besides its own it is told.
    stands_for: int = 0


class Outcome(StrEnum):
    SENT = "sent"
    HELD = "held"
    DROPPED = "dropped"


class RoutingReason(StrEnum):
    """Why an alert was, or was not, told to a channel. Codes are stored: never rename one. Words: `reason_words`."""

    TOLD = "told"
    REMINDED = "reminded"
    IN_STORM_CARD = "in_storm_card"
    # Held: looked at again
    IN_MAINTENANCE = "in_maintenance"
    PARENT_DOWN = "parent_down"
    WAITING_FOR_PARENT = "waiting_for_parent"
    SAME_CAUSE = "same_cause"
    HIGHER_SEVERITY = "higher_severity"
    SILENCED = "silenced"
    QUIET_HOURS = "quiet_hours"
    TOO_SOON = "too_soon"
    STORM = "storm"
    # Dropped: there is nothing to tell
    NOTHING_NEW = "nothing_new"
    NEVER_TOLD = "never_told"
    ACKNOWLEDGED = "acknowledged"
    OTHER_ENVIRONMENT = "other_environment"
    NO_CHANNEL = "no_channel"


@dataclass(frozen=True)
class Decision:
    """What a stage did with a candidate, and when it is worth looking again (None: when something happens)."""

    candidate: Candidate
    outcome: Outcome
    stage: str
    reason: RoutingReason
    detail: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One message to make. One candidate for a machine (with the step it tells of), any number for people."""

    group: GroupFacts
    candidates: tuple[Candidate, ...]
    # "each" (a machine's single step), "group", "reminder", "storm" or "digest".
    form: str
    event: EventFacts | None = None


@dataclass(frozen=True)
class SilenceFacts:
    id: UUID
    environment: UUID | None
    matchers: tuple[Matcher, ...]
    ends_at: datetime


@dataclass(frozen=True)
class RoutingContext:
    """One look at the groups that are due.

    `critical_targets`: the open critical alert of each target that has one. `deliveries` is what the last stage adds.
    """

    now: datetime
    silences: Sequence[SilenceFacts] = ()
    critical_targets: Mapping[UUID, UUID] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    decisions: tuple[Decision, ...] = ()
