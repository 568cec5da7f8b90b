"""The only retry loop: claim, commit, send, mark. At least once, with the same id on every attempt.

One thread of a process talks to the database (`tasks` sees to it that it is one); a pool does the sending, so a
receiver that hangs holds one place for at most its timeout while everything else goes on. Nothing here is lost with
the process: what was claimed and not marked is claimed again when its lease ends.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Coalesce, Greatest, Now

from apps.alerts.channels.base import CHANNEL_KINDS, Client, Delivery, DeliveryReason, Message
from apps.alerts.claims import Claimed, bury_hopeless, claim_due
from apps.alerts.messages import in_reading_order
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.alerts.policy import NextStep, Verdict, breaker_after, next_step
from apps.alerts.replies.links import links_for
from apps.core import clock, kindconfig
from apps.core.news import announce
from apps.core.registry import UnknownEntry
from apps.core.secrets import SecretUnreadable, unseal

logger = structlog.get_logger(__name__)

# Places in the air at once, in one run of the loop: threads that mostly wait. The last ones go to one message a
# channel, so that it takes dozens of receivers that hang before another channel finds none free.
PLACES = 64
LAST_PLACES = 32
# While something is in the air, how often the loop looks whether more has become due; and how long it goes on writing
# down what has landed before it looks again, because a look costs more than an attempt when many wait.
LOOK_EVERY_SECONDS = 0.5
LOOK_AT_MOST_EVERY_SECONDS = 0.05

# Spreads retries, guards nothing.
_chance: Callable[[], float] = random.Random().random  # noqa: S311


@dataclass(frozen=True)
class Attempt:
    """One try as it went: the claim, when it began, how long it took and what came of it."""

    claimed: Claimed
    at: datetime
    duration_ms: float
    delivery: Delivery


def deliver_due(client: Client, *, run_seconds: float = math.inf, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, and what becomes due meanwhile, until nothing is. Returns the number of attempts made.

    After `run_seconds`, or once `stopping` says so, nothing new is taken and what is in the air lands.
    """
    started = time.monotonic()
    made, looked = 0, 0.0
    in_the_air: set[Future[Attempt]] = set()
    with ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="deliver") as pool:
        while True:
            now = time.monotonic()
            rested = now - looked >= LOOK_AT_MOST_EVERY_SECONDS
            open_still = now - started < run_seconds and not stopping()
            if open_still and (rested or not in_the_air):
                in_the_air |= _launch(pool, client, PLACES - len(in_the_air))
                looked = time.monotonic()
            if not in_the_air:
                return made
            patience = LOOK_EVERY_SECONDS if rested else LOOK_AT_MOST_EVERY_SECONDS
            landed, in_the_air = wait(in_the_air, timeout=patience, return_when=FIRST_COMPLETED)
            for future in landed:
                record_attempt(future.result())
                made += 1


def _launch(pool: ThreadPoolExecutor, client: Client, places: int) -> set[Future[Attempt]]:
    if places <= 0:
        return set()
    bury_hopeless()
    ample = places > LAST_PLACES
    due = claim_due(places - LAST_PLACES) if ample else claim_due(places, per_channel=1)
    return {pool.submit(attempt, claimed, client) for claimed in due}


# --- One attempt ------------------------------------------------------------------------------------------


def attempt(claimed: Claimed, client: Client) -> Attempt:
    """Send once through the channel's kind. Touches no database; whatever goes wrong is a Delivery."""
    at, began = clock.now(), time.perf_counter()
    try:
        delivery = _send(claimed, at, client)
    except Exception as error:
        # The message of an unknown error may hold a URL or a secret; its type does not.
        logger.error("channel_kind_failed", kind=claimed.channel_kind, error=type(error).__name__)
        delivery = Delivery(ok=False, retryable=True, reason=DeliveryReason.INTERNAL_ERROR)
    return Attempt(claimed, at, (time.perf_counter() - began) * 1_000, delivery)


def _send(claimed: Claimed, at: datetime, client: Client) -> Delivery:
    try:
        kind = CHANNEL_KINDS.get(claimed.channel_kind)
        config = kindconfig.decode(kind.Config, kindconfig.unseal(kind.Config, claimed.channel_config, unseal))
    except UnknownEntry:
        return _ours(DeliveryReason.UNKNOWN_KIND)
    except SecretUnreadable:
        return _ours(DeliveryReason.SECRET_UNREADABLE)
    except kindconfig.ConfigError:
        return _ours(DeliveryReason.INVALID_CONFIGURATION)
    return kind.send(_message(claimed, at), config, client)


def _ours(reason: DeliveryReason) -> Delivery:
    return Delivery(ok=False, retryable=False, reason=reason)


def _message(claimed: Claimed, at: datetime) -> Message:
    payload = in_reading_order(claimed.payload)
    return Message(
        id=str(claimed.id),
        type=claimed.kind,
        occurred_at=datetime.fromisoformat(payload["timestamp"]),
        sent_at=at,
        data=payload["data"],
        language=claimed.language,
        time_zone=claimed.time_zone,
        wording=claimed.wording,
        # Made now and stored nowhere: whoever holds one may acknowledge.
        links=links_for(claimed.id, claimed.alerts, claimed.channel, target_ids=_targets(payload["data"])),
    )


def _targets(data: Mapping[str, Any]) -> list[UUID]:
    """Whose alerts a message tells of; none where one of them is about no target."""
    targets = [entry["target"] for entry in data.get("alerts", [])]
    return [UUID(target["id"]) for target in targets] if all(targets) else []


# --- What came of it --------------------------------------------------------------------------------------


@transaction.atomic
def record_attempt(made: Attempt) -> NextStep:
    """Write the attempt down and move its notification on; the channel's breaker follows.

    Rows are locked in the order notification, channel, as in every claim. A claim that was lost meanwhile (its lease
    ended and another process took it) changes nothing any more.
    """
    claimed, delivery = made.claimed, made.delivery
    step = next_step(delivery, attempts=claimed.attempts, allowed=claimed.attempts_allowed, chance=_chance())
    if not _move_on(claimed, delivery, step):
        logger.warning("notification_claim_lost", notification=str(claimed.id), attempt=claimed.attempts)
        return step
    NotificationAttempt.objects.create(
        notification_id=claimed.id,
        number=claimed.attempts,
        at=made.at,
        duration_ms=round(made.duration_ms, 3),
        succeeded=delivery.ok,
        status_code=delivery.status_code,
        reason=delivery.reason.value,
        answer=delivery.answer,
    )
    _follow_channel(claimed, delivery)
    announce(f"notification.{step.verdict.value}", [claimed.id], claimed.environment)
    logger.info(
        "notification_attempt",
        notification=str(claimed.id),
        channel=str(claimed.channel),
        kind=claimed.kind,
        attempt=claimed.attempts,
        state=step.verdict.value,
        reason=delivery.reason.value,
        status_code=delivery.status_code,
    )
    return step


def _move_on(claimed: Claimed, delivery: Delivery, step: NextStep) -> bool:
    mine = Notification.objects.filter(pk=claimed.id, state=Notification.State.SENDING, attempts=claimed.attempts)
    finished = None if step.verdict is Verdict.AGAIN else Now()
    changed = mine.update(
        state=step.verdict.value,
        reason=delivery.reason.value,
        lease_until=None,
        not_before=Now() + timedelta(seconds=step.wait_seconds),
        finished_at=finished,
    )
    return changed == 1


def _follow_channel(claimed: Claimed, delivery: Delivery) -> None:
    channel = Channel.objects.select_for_update().only("failures", "open_until").get(pk=claimed.channel)
    breaker = breaker_after(channel.failures, delivery)
    rows = Channel.objects.filter(pk=claimed.channel)
    if delivery.disable:
        closed = {"failures": 0, "open_until": None, "open_since": None}
        rows.update(enabled=False, disabled_reason=delivery.reason.value, **closed)
        logger.warning("channel_disabled", channel=str(claimed.channel), reason=delivery.reason.value)
    elif breaker.open_seconds is not None:
        until = Now() + timedelta(seconds=breaker.open_seconds)
        # Never shorter than what another attempt has just asked for.
        rows.update(
            failures=breaker.failures,
            open_until=Greatest("open_until", until),
            open_since=Coalesce("open_since", Now()),
        )
    elif breaker.failures == 0 and (channel.failures or channel.open_until):
        rows.update(failures=0, open_until=None, open_since=None)
    elif breaker.failures != channel.failures:
        rows.update(failures=breaker.failures)
