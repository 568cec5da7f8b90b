"""Builders for stories about heartbeats: a service with one, pings in the inbox, and time that has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.models import TargetStatus
from apps.checks.heartbeats.services import create_heartbeat
from apps.checks.heartbeats.settling import judge_overdue, settle_pings
from apps.checks.models import Check, CheckRegion, Clock, Heartbeat, HeartbeatRun, Ping, PingInbox
from apps.core.clock import database_moment
from tests.factories import make_service

_numbers = count(1)
DAY = timedelta(days=1)


def make_heartbeat(target: Any = None, **fields: Any) -> Check:
    """A heartbeat of a new service: a ping an hour, ten minutes of grace; nothing was told yet."""
    config = {"period_seconds": 3_600, "grace_seconds": 600, **fields.pop("config", {})}
    return create_heartbeat(
        actor=None, target=target or make_service(f"Backup {next(_numbers)}").target, config=config, **fields
    )


def tell(check: Check | UUID, kind: str = "success", *, at: datetime | None = None, **fields: Any) -> None:
    """A ping as the web process stores it: safe in the inbox, and not settled yet."""
    values: dict[str, Any] = {"method": "GET", "dialect": "healthchecks", "address": "192.0.2.7", **fields}
    values.setdefault("body_bytes", len(values.get("body", b"")))
    check_id = check if isinstance(check, UUID) else check.pk
    PingInbox.objects.create(check_id=check_id, kind=kind, at=at or database_moment(), **values)


def hear(check: Check, *kinds: str, **fields: Any) -> None:
    for kind in kinds:
        tell(check, kind, **fields)
    settle_pings()


def let_pass(seconds: float) -> None:
    """Everything that was heard, and every deadline, moves that far into the past; the portal kept ticking."""
    Clock.objects.get_or_create(
        id=1, defaults={"ticked_at": database_moment(), "steady_since": database_moment() - 365 * DAY}
    )
    with connection.cursor() as cursor:
        for table, column in (
            ("checks_heartbeat", "last_ping_at"),
            ("checks_heartbeat", "expected_at"),
            ("checks_heartbeatrun", "started_at"),
            ("checks_heartbeatrun", "unfinished_at"),
            ("checks_checkregion", "next_due_at"),
        ):
            cursor.execute(
                f"UPDATE {table} SET {column} = {column} - make_interval(secs => %s) WHERE {column} < '9000-01-01'",
                [seconds],
            )


def wait_out(seconds: float) -> int:
    let_pass(seconds)
    return judge_overdue()


def heartbeat_of(check: Check) -> Heartbeat:
    return Heartbeat.objects.get(pk=check.pk)


def row_of(check: Check) -> CheckRegion:
    return CheckRegion.objects.get(source_check=check)


def status_of(check: Check) -> tuple[str, str]:
    row = TargetStatus.objects.get(target=check.target_id)
    return row.status, row.reason


def pings_of(check: Check) -> list[Ping]:
    return list(Ping.objects.filter(check_id=check.pk).order_by("at", "id"))


def runs_of(check: Check) -> list[HeartbeatRun]:
    return list(HeartbeatRun.objects.filter(heartbeat_id=check.pk).order_by("started_at"))
