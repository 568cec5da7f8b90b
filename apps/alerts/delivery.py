"""The only retry loop: claim, commit, send, mark. At least once, with the same id on every attempt.

One thread of a process talks to the database (`tasks` sees to it that it is one); a pool does the sending, so a
receiver that hangs holds one place for at most its timeout while everything else goes on. Nothing here is lost with
the process: what was claimed and not marked is claimed again when its lease ends.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
from apps.alerts.models import Channel
from apps.alerts.policy import BREAKER_THRESHOLD, Breaker, NextStep, breaker_after, next_step
from apps.alerts.replies.links import links_for
from apps.core import clock, kindconfig, statements
from apps.core.news import News, announce_all
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
LOOK_AT_MOST_EVERY_SECONDS = 0.005
# How often what can no longer be sent is buried meanwhile.
BURY_EVERY_SECONDS = 1.0

# Spreads retries, guards nothing.
_chance: Callable[[], float] = random.Random().random  # noqa: S311


@dataclass(frozen=True)
class Attempt:
    """One try as it went: the claim, when it began, how long it took and what came of it."""

    claimed: Claimed
    at: datetime
    duration_ms: float
    delivery: Delivery

    @property
    def landed_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.duration_ms)


def deliver_due(client: Client, *, run_seconds: float = math.inf, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, and what becomes due meanwhile, until nothing is. Returns the number of attempts made.

    After `run_seconds`, or once `stopping` says so, nothing new is taken and what is in the air lands.
    """
    started = time.monotonic()
    made, looked, buried = 0, 0.0, 0.0
    in_the_air: set[Future[Attempt]] = set()
    with ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="deliver") as pool:
        while True:
            now = time.monotonic()
            rested = now - looked >= LOOK_AT_MOST_EVERY_SECONDS
            open_still = now - started < run_seconds and not stopping()
            if now - buried >= BURY_EVERY_SECONDS:
                bury_hopeless()
                buried = now
            if open_still and (rested or not in_the_air):
                in_the_air |= _launch(pool, client, PLACES - len(in_the_air))
                looked = time.monotonic()
            if not in_the_air:
                bury_hopeless()
                return made
            patience = LOOK_EVERY_SECONDS if rested else LOOK_AT_MOST_EVERY_SECONDS
            landed, in_the_air = wait(in_the_air, timeout=patience, return_when=FIRST_COMPLETED)
            record_attempts([future.result() for future in landed])
            made += len(landed)


def _launch(pool: ThreadPoolExecutor, client: Client, places: int) -> set[Future[Attempt]]:
    if places <= 0:
        return set()
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


_LOCK = "SELECT id FROM alerts_notification WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
# Only what is still ours: a claim whose lease ended while it was in the air belongs to another process now.
_MOVE_ON = """
    UPDATE alerts_notification AS n SET
        state = v.state, reason = v.reason, lease_until = NULL,
        not_before = statement_timestamp() + make_interval(secs => v.wait_seconds),
        finished_at = CASE WHEN v.state = 'pending' THEN NULL ELSE statement_timestamp() END
    FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::text[], %s::float8[])
        AS v(id, attempts, state, reason, wait_seconds)
    WHERE n.id = v.id AND n.state = 'sending' AND n.attempts = v.attempts
    RETURNING n.id
"""
_WRITE_DOWN = """
    INSERT INTO alerts_notificationattempt
        (notification_id, number, at, duration_ms, succeeded, status_code, reason, answer)
    SELECT * FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[], %s::float8[], %s::boolean[], %s::int[], %s::text[],
                         %s::text[])
"""


@transaction.atomic
def record_attempts(made: Sequence[Attempt]) -> list[NextStep]:
    """Write attempts down and move their notifications on; the breakers of their channels follow.

    Rows are locked in the order notifications, channels, each by id, as in every claim. A claim that was lost meanwhile
    changes nothing any more.
    """
    if not made:
        return []
    steps = [_next_step(one) for one in made]
    statements.run(_LOCK, [[one.claimed.id for one in made]])
    columns: list[list[Any]] = [
        [one.claimed.id for one in made],
        [one.claimed.attempts for one in made],
        [step.verdict.value for step in steps],
        [one.delivery.reason.value for one in made],
        [float(step.wait_seconds) for step in steps],
    ]
    ours = {row[0] for row in statements.run(_MOVE_ON, columns)}
    for one in made:
        if one.claimed.id not in ours:
            logger.warning("notification_claim_lost", notification=str(one.claimed.id), attempt=one.claimed.attempts)
    kept = [(one, step) for one, step in zip(made, steps, strict=True) if one.claimed.id in ours]
    _write_down([one for one, _step in kept])
    _follow_channels([one for one, _step in kept])
    _tell(kept)
    return steps


def _next_step(made: Attempt) -> NextStep:
    claimed = made.claimed
    return next_step(made.delivery, attempts=claimed.attempts, allowed=claimed.attempts_allowed, chance=_chance())


def _write_down(made: Sequence[Attempt]) -> None:
    if not made:
        return
    columns: list[list[Any]] = [
        [one.claimed.id for one in made],
        [one.claimed.attempts for one in made],
        [one.at for one in made],
        [round(one.duration_ms, 3) for one in made],
        [one.delivery.ok for one in made],
        [one.delivery.status_code for one in made],
        [one.delivery.reason.value for one in made],
        [one.delivery.answer for one in made],
    ]
    statements.run(_WRITE_DOWN, columns)


def _tell(kept: Sequence[tuple[Attempt, NextStep]]) -> None:
    at, news = clock.now(), defaultdict[tuple[str, UUID | None], list[UUID]](list)
    for one, step in kept:
        claimed, state = one.claimed, step.verdict.value
        news[state, claimed.environment].append(claimed.id)
        logger.info(
            "notification_attempt",
            notification=str(claimed.id),
            channel=str(claimed.channel),
            kind=claimed.kind,
            attempt=claimed.attempts,
            state=state,
            reason=one.delivery.reason.value,
            status_code=one.delivery.status_code,
        )
    announce_all(
        [
            News(type=f"notification.{state}", ids=tuple(ids), environment=environment, at=at)
            for (state, environment), ids in news.items()
        ]
    )


# Hardly ever is there anything to close: a channel that works is left alone, and nobody waits for its row. How long a
# receiver has asked to be left alone is its own word: what was in the air meanwhile and arrived does not unsay it.
_CLOSE = """
    UPDATE alerts_channel SET failures = 0, open_since = NULL,
        open_until = CASE WHEN failures < %s AND open_until > statement_timestamp() THEN open_until END
    WHERE id = ANY(%s) AND (failures > 0 OR open_since IS NOT NULL OR open_until <= statement_timestamp())
"""


def _follow_channels(made: Sequence[Attempt]) -> None:
    """Each channel's breaker after its attempts, in the order in which they landed."""
    wanted = {one.claimed.channel for one in made if not one.delivery.ok or one.delivery.retry_after_seconds}
    well = {one.claimed.channel for one in made} - wanted
    if well:
        _close(sorted(well))
    if not wanted:
        return
    rows = Channel.objects.select_for_update().filter(pk__in=wanted).only("failures", "open_until").order_by("pk")
    channels = {channel.pk: channel for channel in rows}
    for one in sorted(made, key=lambda one: one.landed_at):
        if one.claimed.channel in channels:
            _follow_channel(channels[one.claimed.channel], one)


def _follow_channel(channel: Channel, made: Attempt) -> None:
    delivery = made.delivery
    breaker = breaker_after(channel.failures, delivery, is_probe=made.claimed.is_probe)
    rows = Channel.objects.filter(pk=channel.pk)
    if delivery.disable:
        closed = {"failures": 0, "open_until": None, "open_since": None}
        rows.update(enabled=False, disabled_reason=delivery.reason.value, **closed)
        logger.warning("channel_disabled", channel=str(channel.pk), reason=delivery.reason.value)
    elif delivery.ok or breaker == Breaker(0):
        if channel.failures or channel.open_until:
            _close([channel.pk])
    elif breaker.failures != channel.failures:
        rows.update(failures=breaker.failures)
    if breaker.open_seconds is not None and not delivery.disable:
        # Never shorter than what another attempt has just asked for. A pause after what arrived is no failure.
        until = Greatest("open_until", Now() + timedelta(seconds=breaker.open_seconds))
        rows.update(open_until=until, open_since=None if delivery.ok else Coalesce("open_since", Now()))
        # Whatever it is exactly: what lands next must know that it is not empty.
        channel.open_until = clock.now()
    channel.failures = breaker.failures


def _close(channels: Sequence[UUID]) -> None:
    statements.run(_CLOSE, [BREAKER_THRESHOLD, list(channels)])
