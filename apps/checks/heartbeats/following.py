"""A heartbeat's row follows its check: made with it, and told when it is switched or gets another schedule."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.utils.text import slugify

from apps.checks.heartbeats.hearing import NEVER
from apps.checks.heartbeats.judging import Heard, Run, judge_at
from apps.checks.heartbeats.schedule import next_expected
from apps.checks.models import Check, CheckRegion, Heartbeat
from apps.core.clock import database_now
from apps.probes.kinds.heartbeat import HeartbeatConfig

SLUG_LENGTH = 100


def follow_check(check: Check, *, rescheduled: bool = False) -> Heartbeat:
    """Bring the heartbeat in step with its check, whose region row was synced just before. Makes it when there is none.

    While the check is off nothing is expected and no run is open. Switched on again, a heartbeat that was told before
    expects its next ping by its schedule from now; `rescheduled`: the new schedule counts from the last ping.
    """
    heartbeat = Heartbeat.objects.select_for_update().filter(pk=check.pk).first()
    if heartbeat is None:
        heartbeat = Heartbeat.objects.create(source_check=check, slug=free_slug(check))
    config = msgspec.convert(check.config, HeartbeatConfig)
    row = CheckRegion.objects.filter(source_check=check, passive=True).order_by("-enabled", "id").first()
    if row is None or not row.enabled:
        heartbeat.expected_at = None
        heartbeat.open_runs.all().delete()
    elif heartbeat.last_ping_at is not None and heartbeat.expected_at is None:
        heartbeat.expected_at = next_expected(config, database_now())
    elif heartbeat.last_ping_at is not None and rescheduled:
        heartbeat.expected_at = next_expected(config, heartbeat.last_ping_at)
    heartbeat.save(update_fields=["expected_at"])
    if row is not None:
        row.next_due_at = judge_at(heard_of(heartbeat), config) or NEVER
        row.save(update_fields=["next_due_at"])
    return heartbeat


def heard_of(heartbeat: Heartbeat) -> Heard:
    """What is known of a heartbeat, as the judgement reads it. One query for its open runs unless they were fetched."""
    runs = tuple(Run(run.run_id, run.started_at, run.unfinished_at) for run in heartbeat.open_runs.all())
    return Heard(heartbeat.last_ping_at, heartbeat.last_ping_kind, heartbeat.expected_at, runs)


def free_slug(check: Check) -> str:
    """A short name from the target's name, else from the check's too, that nobody has in this environment."""
    target = check.target
    name = slugify(target.name)[:SLUG_LENGTH]
    base = name or f"heartbeat-{check.pk.hex[-8:]}"
    longer = slugify(f"{target.name} {check.name}")[:SLUG_LENGTH] if name else base
    taken = _taken(target.environment_id, base)
    for candidate in (base, longer, *(f"{base[: SLUG_LENGTH - 5]}-{number}" for number in range(2, len(taken) + 4))):
        if candidate not in taken:
            return candidate
    return f"heartbeat-{check.pk.hex}"


def _taken(environment_id: UUID, base: str) -> set[str]:
    present = Heartbeat.objects.filter(
        source_check__target__environment_id=environment_id,
        source_check__deleted_at__isnull=True,
        source_check__target__deleted_at__isnull=True,
        slug__startswith=base[: SLUG_LENGTH - 5],
    )
    return set(present.values_list("slug", flat=True))
