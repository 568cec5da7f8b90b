""" "Who would be told?": the path of an alert through the tree, the channels at its end, and what would hold it now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.models import User
from apps.alerts.matching import Labels
from apps.alerts.models import Channel, Route
from apps.catalog.models import Target


@dataclass(frozen=True)
class SimulatedStep:
    """One node that was asked. `route` None: the implicit root. `why` is a code of the tree, `sentence` its words."""

    route: Route | None
    depth: int
    matched: bool
    taken: bool
    why: str
    sentence: str


@dataclass(frozen=True)
class SimulatedChannel:
    """A channel that would hear of it, through which route and how. `mode`: "each", "group" or "digest".

    `group_by` None: each alert by itself. Times in seconds; they do not count for a machine ("each").
    """

    channel: Channel
    route: Route | None
    mode: str
    group_by: tuple[str, ...] | None
    group_wait_seconds: int
    group_interval_seconds: int
    repeat_interval_seconds: int


@dataclass(frozen=True)
class Hold:
    """Something that would keep it from being told now. `channel` None: from all of them; `until` None: unknown."""

    stage: str
    reason: str
    sentence: str
    channel: Channel | None = None
    until: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulation:
    """What would happen to an alert with these labels at `at`."""

    at: datetime
    severity: str
    labels: Labels
    target: Target | None
    steps: list[SimulatedStep]
    channels: list[SimulatedChannel]
    holds: list[Hold]


def simulate(
    user: User,
    *,
    target: UUID | None = None,
    labels: Labels | None = None,
    severity: str = "",
    at: datetime | None = None,
) -> Simulation:
    """What would happen to an alert of `target` (one `user` may see) or with `labels`.

    Without a severity it is the labels' own, else "critical". A fixed number of queries.
    Raises ValidationError by field: neither or both of target and labels, an unknown target, severity or label.
    """
    raise NotImplementedError
