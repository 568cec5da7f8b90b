"""From claims to messages: the config of each claimed check, opened, put into one sealed message a batch.

A probe worker needs the broker's address and the sealing key, nothing else: everything it must know is in the message.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError

from apps.catalog.models import Region
from apps.checks import messages, schedule
from apps.checks.guards.selectors import guard_jobs
from apps.checks.models import Check, CheckRun
from apps.checks.services import open_config
from apps.core.secrets import SecretUnreadable
from apps.probes.base import ProbeJob

# What opening a config may need of the target's provider, in the same query.
_WITH_PROVIDER = ("target__provider", "target__model__provider")

logger = structlog.get_logger(__name__)

# A region whose queue already holds this many batches is not sent more: a dead region must not fill the broker.
QUEUE_LIMIT = 20
# Batches claimed for one region at one tick: 20 × 200 a second is more than one engine can look at.
BATCHES_A_TICK = 20


def queue_of(region: str) -> str:
    return f"probe.{region}"


def dispatch_due() -> int:
    """Claim what is due in every enabled region and send it; returns how many looks were sent."""
    sent = 0
    for region in Region.objects.filter(enabled=True).order_by("slug"):
        room = QUEUE_LIMIT - queue_length(queue_of(region.slug))
        for _ in range(min(room, BATCHES_A_TICK)):
            claims = schedule.claim_due(region.pk)
            if claims:
                send_batch(region.slug, make_jobs(region.slug, claims))
                sent += len(claims)
            if len(claims) < schedule.BATCH:
                break
    return sent


def queue_length(queue: str) -> int:
    """Messages waiting in a queue of the broker."""
    with Redis.from_url(settings.REDIS_BROKER_URL, socket_timeout=2, socket_connect_timeout=0.5) as client:
        return int(client.llen(f"portal:{queue}"))


def make_jobs(region: str, claims: Iterable[schedule.Claim], run: UUID | None = None) -> list[ProbeJob]:
    """Jobs with opened configs. One query. A check whose secret cannot be opened is left out and logged."""
    by_check = {claim.check_id: claim for claim in claims}
    jobs: list[ProbeJob] = []
    for check in Check.objects.filter(pk__in=by_check).select_related(*_WITH_PROVIDER):
        claim = by_check[check.pk]
        try:
            config = open_config(check)
        except (SecretUnreadable, ValidationError) as error:
            # A key that changed, or a kind that is gone: this check waits for its lease, the others go on.
            logger.error("check_not_sent", check=str(check.pk), kind=check.kind, error=str(error))
            continue
        jobs.append(
            ProbeJob(
                check=str(check.pk),
                region=region,
                generation=claim.generation,
                kind=check.kind,
                config=config,
                timeout_seconds=check.timeout_seconds,
                degraded_after_ms=check.degraded_after_ms,
                run=str(run) if run else None,
                due_at=claim.due_at,
            )
        )
    return jobs


def send_batch(region: str, jobs: list[ProbeJob]) -> None:
    """One message to the region's queue; it expires with the lease, because a later worker's answer would not count."""
    from apps.checks.tasks import probe_batch  # noqa: PLC0415 - tasks use this module

    if not jobs:
        return
    lease = max(job.timeout_seconds for job in jobs) + schedule.LEASE_MARGIN_SECONDS
    message = messages.pack_batch(messages.Batch(region=region, jobs=jobs, guards=guard_jobs(region)))
    probe_batch.apply_async(args=(message,), queue=queue_of(region), expires=lease)


def send_run(run: CheckRun) -> None:
    """Claim and send one look somebody asked for, in the first enabled region.

    Raises ConnectionError when the broker cannot be reached: the run is withdrawn, so that the next try is a new one.
    """
    region = Region.objects.filter(enabled=True).order_by("slug").first()
    if region is None:
        run.delete()
        raise ConnectionError("No region is enabled, so nothing can look. Enable one in the admin.")
    generation = schedule.claim_now(run.source_check_id, region.pk)
    due_at = run.requested_at.timestamp()
    claim = schedule.Claim(run.source_check_id, -1 if generation is None else generation, due_at)
    try:
        send_batch(region.slug, make_jobs(region.slug, [claim], run.pk))
    except (BrokerError, RedisError, OSError) as error:
        run.delete()
        raise ConnectionError("The message broker cannot be reached, so no probe was started. Try again.") from error
