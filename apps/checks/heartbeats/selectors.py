"""What pages and the API read of heartbeats. Every function has a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.checks.models import Check, Ping


@dataclass(frozen=True)
class OpenRun:
    """A run that was started and has not ended. `unfinished_at`: when it was found to take longer than the grace."""

    run_id: UUID | None
    started_at: datetime
    unfinished_at: datetime | None


@dataclass(frozen=True)
class HeartbeatView:
    """One heartbeat check: its addresses, its schedule, and what was heard last. Addresses hold secrets."""

    check: Check
    slug: str
    ping_url: str
    slug_url: str | None
    push_url: str
    gatus_path: str
    push_token: str
    period_seconds: int | None
    grace_seconds: int
    cron: str
    timezone: str
    schedule: Any  # a sentence
    last_ping_at: datetime | None
    last_ping_kind: str
    expected_at: datetime | None
    deadline_at: datetime | None
    open_runs: tuple[OpenRun, ...]


def get_heartbeat(check: Check) -> HeartbeatView:
    """The heartbeat of one check. Three queries at most."""
    raise NotImplementedError


def get_pings(check_id: UUID, *, limit: int, before: datetime | None = None) -> list[Ping]:
    """The latest pings of a check, newest first; `before` goes on from the last one's `at`. One query."""
    raise NotImplementedError
