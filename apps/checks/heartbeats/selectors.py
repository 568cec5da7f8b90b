"""What pages and the API read of heartbeats. Every function has a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import F, Func, IntegerField, QuerySet

from apps.checks.heartbeats.judging import Run
from apps.checks.heartbeats.schedule import grace_of
from apps.checks.models import Check, Heartbeat, HeartbeatRun, Ping, PingKey
from apps.core.ids import moment_of
from apps.core.secrets import MASK, SecretUnreadable, unseal
from apps.probes.base import PROBE_KINDS
from apps.probes.kinds.heartbeat import HeartbeatConfig

# A ping is numbered when it is settled, which is late only while nothing settles.
_SETTLED_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class HeartbeatView:
    """One heartbeat check: its addresses, its schedule, and what was heard last. Addresses hold secrets.

    With a cron expression `period_seconds` is None, without one `cron` is empty. `gatus_path` is called with
    `push_token` as bearer token. `slug_url` is None while the environment has no open ping key.
    """

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
    schedule: str
    last_ping_at: datetime | None
    last_ping_kind: str
    expected_at: datetime | None
    deadline_at: datetime | None
    open_runs: tuple[Run, ...]


def get_heartbeat(check: Check) -> HeartbeatView:
    """The heartbeat of one check, all its addresses open. Five queries at most. Raises Heartbeat.DoesNotExist."""
    heartbeat = Heartbeat.objects.prefetch_related("open_runs").get(pk=check.pk)
    return view_of(check, heartbeat, open_keys([check.target.environment_id]))


def view_of(check: Check, heartbeat: Heartbeat, keys: Mapping[UUID, str], *, masked: bool = False) -> HeartbeatView:
    """The view of a heartbeat whose target, environment and open runs were fetched. No query.

    `keys` are the ping keys of environments. `masked`: nobody can ping with what it shows.
    """
    config = msgspec.convert(check.config, HeartbeatConfig)
    environment = check.target.environment
    key = keys.get(environment.pk)
    token = MASK if masked else heartbeat.push_token
    web = settings.PORTAL_WEB_URL.rstrip("/")
    expected_at = heartbeat.expected_at
    return HeartbeatView(
        check=check,
        slug=heartbeat.slug,
        ping_url=f"{web}/ping/{MASK if masked else heartbeat.ping_id}",
        slug_url=None if key is None else f"{web}/ping/{MASK if masked else key}/{heartbeat.slug}",
        push_url=f"{web}/api/push/{token}",
        gatus_path=f"/api/v1/endpoints/{environment.slug}_{heartbeat.slug}/external",
        push_token=token,
        period_seconds=None if config.cron.strip() else config.period_seconds,
        grace_seconds=config.grace_seconds,
        cron=config.cron,
        timezone=config.timezone,
        schedule=PROBE_KINDS.get(check.kind).address(config),
        last_ping_at=heartbeat.last_ping_at,
        last_ping_kind=heartbeat.last_ping_kind,
        expected_at=expected_at,
        deadline_at=None if expected_at is None else expected_at + grace_of(config),
        open_runs=tuple(_run(run) for run in heartbeat.open_runs.all()),
    )


def _run(run: HeartbeatRun) -> Run:
    return Run(run.run_id, run.started_at, run.unfinished_at)


def open_keys(environments: list[UUID] | None = None) -> dict[UUID, str]:
    """The newest open ping key of each environment (None: of all) that can be unsealed. One query."""
    rows = PingKey.objects.filter(closed_at__isnull=True)
    if environments is not None:
        rows = rows.filter(environment_id__in=environments)
    newest = rows.order_by("environment_id", "-created_at").distinct("environment_id")
    keys = {}
    for environment, sealed in newest.values_list("environment_id", "sealed"):
        with suppress(SecretUnreadable):
            keys[environment] = unseal(sealed)
    return keys


def with_heartbeats(checks: QuerySet[Check]) -> QuerySet[Check]:
    """Checks with what `view_of` needs of those that are heartbeats. One query more, whatever their number."""
    return checks.select_related("heartbeat", "target__environment").prefetch_related("heartbeat__open_runs")


# --- Pings ----------------------------------------------------------------------------------------------------


def list_pings(check_id: UUID) -> QuerySet[Ping]:
    """Pings of one check without their bodies, each with `kept_bytes`, how much of its body was kept."""
    kept = Func(F("body"), function="octet_length", output_field=IntegerField())
    return Ping.objects.filter(check_id=check_id).annotate(kept_bytes=kept).defer("body")


def get_ping(check_id: UUID, identifier: UUID) -> Ping | None:
    """One ping with its body. Its id tells about when it came, so a few partitions are read instead of all."""
    rows = list_pings(check_id).defer(None).filter(id=identifier)
    numbered_at = moment_of(identifier)
    if numbered_at is not None:
        rows = rows.filter(at__gte=numbered_at - _SETTLED_WITHIN, at__lte=numbered_at + timedelta(minutes=10))
    return rows.first()
