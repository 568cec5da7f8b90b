"""Which notifications are sent next: one statement claims them, another buries what can no longer be sent.

Several processes claim at once. Ranking is done on a snapshot, so the rows are looked at again under their lock; the
clock is the database's. Everything here is safe to repeat and safe to lose: a claim whose process dies runs out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.alerts.channels.base import DeliveryReason
from apps.alerts.policy import BREAKER_THRESHOLD, HALF_OPEN_SECONDS, LEASE_SECONDS
from apps.core import clock, statements
from apps.core.news import News, announce_all

# A channel never takes more than this many senders, so that one that hangs leaves the others free.
PER_CHANNEL = 8


@dataclass(frozen=True)
class Claimed:
    """One notification this process may send until its lease ends. `channel_config` is still sealed."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    environment: UUID | None
    attempts: int
    attempts_allowed: int
    channel: UUID
    channel_kind: str
    channel_config: dict[str, Any]
    language: str
    time_zone: str
    wording: dict[str, str]
    alerts: tuple[UUID, ...]
    # It is the one that finds out whether an endpoint that failed is back.
    is_probe: bool = False


# What may be sent now: of each channel the first few it has senders left for, so that a look costs the same whether ten
# wait or ten thousand. `n.lane IS NULL` is a message a person asked for: it does not wait for the breaker, and is the
# best probe there is of whether the endpoint is back. A lane (an alert, a group) stays in order; a storm card, whose
# lane is the channel, goes before whatever was made after it, another card too: its number is that of one of its groups
# and says nothing of the others.
_READY = """
    SELECT n.id, c.half_open
    FROM (
        SELECT id, failures >= %(threshold)s AS half_open,
               open_until IS NULL OR open_until <= statement_timestamp() AS closed,
               CASE WHEN failures >= %(threshold)s THEN 1 ELSE %(per_channel)s END - (
                   SELECT count(*) FROM alerts_notification busy
                   WHERE busy.channel_id = c.id AND busy.state = 'sending'
                     AND busy.lease_until > statement_timestamp()
               ) AS senders_left
        FROM alerts_channel c WHERE enabled AND deleted_at IS NULL
    ) c
    CROSS JOIN LATERAL (
        SELECT n.id FROM alerts_notification n
        WHERE n.channel_id = c.id AND n.state IN ('pending', 'sending') AND n.not_before <= statement_timestamp()
          AND (n.state = 'pending' OR n.lease_until <= statement_timestamp())
          AND n.attempts < n.attempts_allowed
          AND (c.closed OR n.lane IS NULL)
          AND NOT EXISTS (
              SELECT 1 FROM alerts_notification earlier
              WHERE earlier.channel_id = n.channel_id AND earlier.lane = n.lane AND n.lane <> n.channel_id
                AND earlier.sequence < n.sequence AND earlier.state IN ('pending', 'sending')
          )
          AND NOT EXISTS (
              SELECT 1 FROM alerts_notification card
              WHERE card.channel_id = n.channel_id AND card.lane = n.channel_id AND card.id <> n.id
                AND card.state IN ('pending', 'sending') AND n.lane IS NOT NULL
                AND (card.created_at, card.id) < (n.created_at, n.id)
          )
        ORDER BY n.not_before, n.id
        LIMIT greatest(c.senders_left, 0)
    ) n
"""

# An attempt that nobody finished is written down too: number and moment are known, the answer is not.
_CLAIM = f"""
    WITH ready AS MATERIALIZED ({_READY}),
    locked AS (
        SELECT n.id, n.state, n.attempts, n.lease_until, ready.half_open
        FROM alerts_notification n JOIN ready ON ready.id = n.id
        WHERE n.state = 'pending' OR (n.state = 'sending' AND n.lease_until <= statement_timestamp())
        ORDER BY n.not_before, n.id
        LIMIT %(limit)s
        FOR UPDATE OF n SKIP LOCKED
    ),
    interrupted AS (
        INSERT INTO alerts_notificationattempt (notification_id, number, at, succeeded, reason, answer)
        SELECT id, attempts, lease_until - make_interval(secs => %(lease)s), false, %(interrupted)s, ''
        FROM locked WHERE state = 'sending'
        ON CONFLICT DO NOTHING
    )
    UPDATE alerts_notification n
    SET state = 'sending', attempts = n.attempts + 1,
        lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
    FROM locked, alerts_channel c
    WHERE n.id = locked.id AND c.id = n.channel_id
    RETURNING n.id, n.kind, n.payload::text, n.environment_id, n.attempts, n.attempts_allowed,
              n.channel_id, c.kind, c.config::text, locked.half_open, c.language, c.time_zone, c.wording::text,
              ARRAY(SELECT alert_id FROM alerts_notification_alerts WHERE notification_id = n.id LIMIT 51)
"""  # noqa: S608 - the parts are constants of this module; every value is a parameter

_ANY_READY = f"SELECT EXISTS ({_READY})"

_HOLD = """
    UPDATE alerts_channel SET open_until = statement_timestamp() + make_interval(secs => %s) WHERE id = ANY(%s)
"""


def _parameters(**others: Any) -> dict[str, Any]:
    return {"threshold": BREAKER_THRESHOLD, "per_channel": PER_CHANNEL, **others}


# What waits for a channel that is switched off waits until it is on again, and is no loss; but for a test, which nobody
# would still look for, and what happened a month ago.
KEPT_FOR_A_CHANNEL_DAYS = 30
_GIVEN_UP = """
    NOT c.enabled
    AND (n.lane IS NULL OR n.created_at < statement_timestamp() - make_interval(days => %(kept_days)s))
"""
# What can never be sent: its channel was deleted or has been off for too long, or the last attempt it was allowed was
# lost.
_HOPELESS = f"""
    SELECT n.id, n.state, n.attempts, n.lease_until,
           CASE WHEN c.deleted_at IS NOT NULL THEN %(deleted)s WHEN {_GIVEN_UP} THEN %(disabled)s
                ELSE %(interrupted)s END AS why,
           c.deleted_at IS NULL AND NOT ({_GIVEN_UP}) AS tried
    FROM alerts_notification n JOIN alerts_channel c ON c.id = n.channel_id
    WHERE (n.state = 'pending' OR (n.state = 'sending' AND n.lease_until <= statement_timestamp()))
      AND (c.deleted_at IS NOT NULL OR ({_GIVEN_UP}) OR n.attempts >= n.attempts_allowed)
"""  # noqa: S608 - the parts are constants of this module; every value is a parameter
_BURY = f"""
    WITH locked AS ({_HOPELESS} LIMIT 1000 FOR UPDATE OF n SKIP LOCKED),
    interrupted AS (
        INSERT INTO alerts_notificationattempt (notification_id, number, at, succeeded, reason, answer)
        SELECT id, attempts, lease_until - make_interval(secs => %(lease)s), false, %(interrupted)s, ''
        FROM locked WHERE state = 'sending'
        ON CONFLICT DO NOTHING
    )
    UPDATE alerts_notification n
    SET state = CASE WHEN locked.tried THEN 'dead' ELSE 'dropped' END, reason = locked.why,
        finished_at = statement_timestamp(), lease_until = NULL
    FROM locked WHERE n.id = locked.id
    RETURNING n.id, n.environment_id, n.state
"""  # noqa: S608 - the parts are constants of this module; every value is a parameter
_ANY_HOPELESS = f"SELECT EXISTS ({_HOPELESS})"


def claim_due(limit: int, *, per_channel: int = PER_CHANNEL) -> list[Claimed]:
    """Claim at most `limit` notifications, none for a channel that has `per_channel` senders; each is counted as an
    attempt now, so that one that kills its process runs out of attempts too."""
    parameters = _parameters(
        limit=limit, per_channel=per_channel, lease=LEASE_SECONDS, interrupted=DeliveryReason.INTERRUPTED.value
    )
    with transaction.atomic():
        rows = statements.run(_CLAIM, parameters)
        trying = [row[6] for row in rows if row[9]]
        if trying:
            # Half open: one goes through, and the rest wait until it has come back.
            statements.run(_HOLD, [HALF_OPEN_SECONDS, trying])
    return [_claimed(row) for row in rows]


def _claimed(row: tuple[Any, ...]) -> Claimed:
    return Claimed(
        id=row[0],
        kind=row[1],
        payload=json.loads(row[2]),
        environment=row[3],
        attempts=row[4],
        attempts_allowed=row[5],
        channel=row[6],
        channel_kind=row[7],
        channel_config=_object(row[8]),
        language=row[10],
        time_zone=row[11],
        wording={part: text for part, text in _object(row[12]).items() if isinstance(text, str)},
        alerts=tuple(row[13]),
        is_probe=row[9],
    )


def _object(text: str) -> dict[str, Any]:
    """A stored object; what is none holds nothing, and its message says why it cannot be sent."""
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


@transaction.atomic
def bury_hopeless() -> int:
    """Finish what can never be sent: dropped with its channel, or dead. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_BURY, {**_hopeless_parameters(), "lease": LEASE_SECONDS})
        rows = cursor.fetchall()
    at = clock.now()
    announce_all(
        [
            News(type=f"notification.{state}", ids=(key,), environment=environment, at=at)
            for key, environment, state in rows
        ]
    )
    return len(rows)


def anything_to_send() -> bool:
    """Whether `claim_due` or `bury_hopeless` would find a row now. Two cheap queries over what waits."""
    [(ready,)] = statements.run(_ANY_READY, _parameters())
    return ready or statements.run(_ANY_HOPELESS, _hopeless_parameters()) == [(True,)]


def _hopeless_parameters() -> dict[str, Any]:
    return {
        "deleted": DeliveryReason.CHANNEL_DELETED.value,
        "disabled": DeliveryReason.CHANNEL_DISABLED.value,
        "interrupted": DeliveryReason.INTERRUPTED.value,
        "kept_days": KEPT_FOR_A_CHANNEL_DAYS,
    }
