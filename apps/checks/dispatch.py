"""From claims to messages: the config of each claimed check, opened, put into one sealed message a batch.

A probe worker needs the broker's address and the sealing key, nothing else: everything it must know is in the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.core.exceptions import ValidationError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from apps.catalog.models import Region
from apps.checks import messages, schedule
from apps.checks.guards.selectors import guard_jobs
from apps.checks.models import Check, CheckRun
from apps.checks.regions import vitals
from apps.checks.regions.broker import broker
from apps.checks.regions.selectors import unserved
from apps.checks.services import open_config
from apps.checks.spending import accounts, admission, ledger
from apps.checks.spending.admission import NotAdmitted
from apps.checks.spending.asking import is_paid
from apps.core import statements
from apps.core.secrets import SEALED_PREFIX, SecretUnreadable
from apps.probes.base import PROBE_KINDS, ProbeJob

# What opening a config may need of the target's provider, in the same query.
_WITH_PROVIDER = ("target__provider", "target__model__provider")

logger = structlog.get_logger(__name__)

# A region whose queue already holds this many batches is not sent more: a dead region must not fill the broker.
QUEUE_LIMIT = 20
# Looks claimed for one region at one tick: as many a second as one engine can take, not more than it has room for.
LOOKS_A_TICK = 6_000
# A worker that was not heard for this long says nothing of its room.
ROOM_KNOWN_SECONDS = 10


def queue_of(region: str) -> str:
    return f"probe.{region}"


def dispatch_due() -> int:
    """Claim what is due in every enabled region and send it; returns how many looks were sent."""
    regions = dict(statements.run("SELECT slug, id FROM catalog_region WHERE enabled ORDER BY slug"))
    rooms = find_rooms(list(regions))
    sent = 0
    for slug, region in regions.items():
        claims = schedule.claim_due(region, rooms[slug]) if rooms[slug] > 0 else []
        claims = admission.admit(region, claims)
        jobs = make_jobs(slug, claims)
        _give_back_money(region, claims, jobs)
        for start in range(0, len(jobs), schedule.BATCH):
            send_batch(slug, jobs[start : start + schedule.BATCH])
        sent += len(jobs)
    return sent


def _give_back_money(region: UUID, claims: list[schedule.Claim], jobs: list[ProbeJob]) -> None:
    """What cannot even be sent costs nothing."""
    if len(jobs) == len(claims):
        return
    sent = {job.check for job in jobs}
    unsent = [claim for claim in claims if str(claim.check_id) not in sent and is_paid(claim.kind)]
    if unsent:
        accounts.withdraw([(claim.check_id, region, claim.generation) for claim in unsent])


def find_rooms(regions: list[str]) -> dict[str, int]:
    """How many looks each region can be given now: bounded by its queue, and by the free places its workers tell of.

    What is claimed and finds no place would wait for its lease; what is not claimed is only late. Three round trips.
    """
    client = broker()
    pipeline = client.pipeline(transaction=False)
    for region in regions:
        pipeline.llen(f"portal:{queue_of(region)}")
    queued = pipeline.execute()
    now, heard = vitals.read(client, regions)
    rooms: dict[str, int] = {}
    for region, batches in zip(regions, queued, strict=True):
        room = min((QUEUE_LIMIT - batches) * schedule.BATCH, LOOKS_A_TICK)
        # One with another key takes no messages.
        taking = [one for one in heard[region] if not one.stopped and not one.key_differs]
        places = [one.free_places for one in taking if now - one.at < ROOM_KNOWN_SECONDS]
        if places:
            room = min(room, sum(places) - batches * schedule.BATCH)
        rooms[region] = room
    return rooms


def make_jobs(region: str, claims: Iterable[schedule.Claim], run: UUID | None = None) -> list[ProbeJob]:
    """Jobs with opened configs, in the order of their moments. One query when a config holds secrets, else none.

    A check whose secret cannot be opened is left out and logged.
    """
    claims = sorted(claims, key=lambda claim: claim.due_at)
    opened = _open({claim.check_id for claim in claims if _needs_opening(claim)})
    jobs: list[ProbeJob] = []
    for claim in claims:
        config = opened.get(claim.check_id) if _needs_opening(claim) else msgspec.json.decode(claim.config)
        if config is None:
            continue
        jobs.append(
            ProbeJob(
                check=str(claim.check_id),
                region=region,
                generation=claim.generation,
                kind=claim.kind,
                config=config,
                timeout_seconds=claim.timeout_seconds,
                degraded_after_ms=claim.degraded_after_ms,
                run=str(run) if run else None,
                due_at=claim.due_at,
            )
        )
    return jobs


def _needs_opening(claim: schedule.Claim) -> bool:
    """Most configs hold no secret and use no provider's key: they go as they are."""
    if claim.kind not in PROBE_KINDS or PROBE_KINDS.get(claim.kind).uses_endpoint:
        return True
    return SEALED_PREFIX in claim.config or '"base_url"' in claim.config


def _open(check_ids: set[UUID]) -> dict[UUID, dict[str, Any]]:
    opened: dict[UUID, dict[str, Any]] = {}
    if not check_ids:
        return opened
    for check in Check.objects.filter(pk__in=check_ids).select_related(*_WITH_PROVIDER):
        try:
            opened[check.pk] = open_config(check)
        except (SecretUnreadable, ValidationError) as error:
            # A key that changed, or a kind that is gone: this check waits for its lease, the others go on.
            logger.error("check_not_sent", check=str(check.pk), kind=check.kind, error=str(error))
    return opened


def send_batch(region: str, jobs: list[ProbeJob]) -> None:
    """One message to the region's queue; it expires with the first lease, because a later answer would not count."""
    from apps.checks.tasks import probe_batch  # noqa: PLC0415 - tasks use this module

    if not jobs:
        return
    lease = min(job.timeout_seconds for job in jobs) + schedule.LEASE_MARGIN_SECONDS + schedule.AHEAD_SECONDS
    message = messages.pack_batch(messages.Batch(region=region, jobs=jobs, guards=guard_jobs(region)))
    probe_batch.apply_async(args=(message,), queue=queue_of(region), expires=lease)


def send_run(run: CheckRun) -> None:
    """Claim and send one look somebody asked for, in the first of the check's regions that has a worker.

    Raises ConnectionError when the broker cannot be reached, and NotAdmitted when a paid look has no money or no place:
    the run is withdrawn, so that the next try is a new one.
    """
    check = run.source_check
    region = _region_for(check)
    if region is None:
        run.delete()
        raise ConnectionError("No region of this check is enabled, so nothing can look. Enable one in the settings.")
    generation = schedule.claim_now(check.pk, region.pk)
    claim = schedule.Claim(
        check_id=check.pk,
        generation=admission.generation_of_its_own() if generation is None else generation,
        due_at=run.requested_at.timestamp(),
        kind=check.kind,
        config=json.dumps(check.config),
        timeout_seconds=check.timeout_seconds,
        degraded_after_ms=check.degraded_after_ms,
    )
    paid: ledger.Key | None = None
    try:
        paid = _admit_run(check, claim, region)
        send_batch(region.slug, make_jobs(region.slug, [claim], run.pk))
    except (BrokerError, RedisError, OSError, NotAdmitted) as error:
        run.delete()
        accounts.settle_now(paid, None)
        if generation is not None:
            schedule.give_back(check.pk, region.pk, generation)
        if isinstance(error, NotAdmitted):
            raise
        raise ConnectionError("The message broker cannot be reached, so no probe was started. Try again.") from error


def _admit_run(check: Check, claim: schedule.Claim, region: Region) -> ledger.Key | None:
    """Money for a look somebody asked for. None: it costs nothing. Raises NotAdmitted."""
    return admission.admit_now(
        target=check.target,
        kind=check.kind,
        config=check.config,
        timeout_seconds=check.timeout_seconds,
        key=(check.pk, region.pk, claim.generation),
    )


def _region_for(check: Check) -> Region | None:
    """Never a region the check is not looked at from: what it asks may answer nowhere else."""
    regions = sorted(schedule.regions_of(check, passive=False), key=lambda region: region.slug)
    silent = set(unserved([region.slug for region in regions]))
    return next((region for region in regions if region.slug not in silent), regions[0] if regions else None)
