"""Channels that tell nobody any more: said on the overview, and through another channel, as an alert of the portal.

A channel is broken when its receiver had it switched off, when its breaker has been open for ten minutes, when it gave
up on a message within the last hour, or when its settings or its secrets cannot be read. Once told, it counts as broken
until it is known to work: until something was delivered through it, or somebody edited, switched on or deleted it. Time
alone mends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.alerts.channels.base import MessageType, reason_label
from apps.alerts.models import AlertSource, Channel, Severity
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.sources import SourceChange, apply_changes
from apps.alerts.unreadable_rows import unreadable_reason
from apps.core import clock

CAUSE = "channel"
OPEN_FOR_SECONDS = 600
GAVE_UP_WITHIN_SECONDS = 3_600


class Fault(StrEnum):
    """What is wrong with a channel. Stored in the detail of its alert: never rename one."""

    SWITCHED_OFF = "switched_off"
    NOT_ANSWERING = "not_answering"
    GAVE_UP = "gave_up"
    UNREADABLE = "unreadable"

    @property
    def label(self) -> str:
        return str(_LABELS[self])


_LABELS: dict[Fault, Any] = {
    Fault.SWITCHED_OFF: _("The receiver had it switched off"),
    Fault.NOT_ANSWERING: _("The receiver has not answered for 10 minutes"),
    Fault.GAVE_UP: _("A message could not be delivered"),
    Fault.UNREADABLE: _("Its settings cannot be read"),
}


@dataclass(frozen=True)
class BrokenChannel:
    """A channel that tells nobody. `reason` is a DeliveryReason or ""; `since` None where it was not written down."""

    id: UUID
    name: str
    environment: UUID | None
    environment_slug: str
    fault: Fault
    reason: str
    since: datetime | None
    is_told: bool

    @property
    def key(self) -> str:
        """Its name among the sources of alerts, and the fingerprint of its alert."""
        return key_of(self.id)

    @property
    def detail(self) -> dict[str, str]:
        return {"channel": str(self.id), "title": self.name, "fault": self.fault.value, "reason": self.reason}


def key_of(channel: UUID) -> str:
    return f"channel:{channel}"


# What the overview and the tick ask, over the few rows of channels. The lateral join reads one index entry a channel;
# only a channel that did give up is looked into further.
_LOOK = """
    WITH told AS (
        SELECT substr(fingerprint, 9)::uuid AS channel_id, detail->>'fault' AS fault, detail->>'reason' AS reason
        FROM alerts_alert WHERE resolved_at IS NULL AND fingerprint LIKE 'channel:%%' AND cause = 'channel'
    ),
    present AS (
        SELECT c.id, c.name, c.environment_id, coalesce(e.slug, '') AS slug, c.enabled, c.disabled_reason, c.kind,
               c.config,
               c.open_since, given_up.reason AS dead_reason, given_up.finished_at AS dead_at,
               given_up.finished_at > c.updated_at AND NOT EXISTS (
                   SELECT 1 FROM alerts_notification later
                   WHERE later.channel_id = c.id AND later.state = 'sent'
                     AND later.finished_at > given_up.finished_at
                     AND later.created_at > given_up.created_at - interval '1 day'
               ) AS still_dead
        FROM alerts_channel c
        LEFT JOIN catalog_environment e ON e.id = c.environment_id
        LEFT JOIN LATERAL (
            SELECT n.reason, n.finished_at, n.created_at FROM alerts_notification n
            WHERE n.channel_id = c.id AND n.state = 'dead' AND n.kind <> %(test)s
            ORDER BY n.finished_at DESC LIMIT 1
        ) given_up ON true
        WHERE c.deleted_at IS NULL
    ),
    judged AS (
        SELECT present.*, CASE
            WHEN NOT enabled THEN CASE WHEN disabled_reason <> '' THEN 'switched_off' END
            WHEN open_since <= now() - make_interval(secs => %(open_for)s) THEN 'not_answering'
            WHEN still_dead AND (told.channel_id IS NOT NULL OR dead_at > now() - make_interval(secs => %(within)s))
            THEN 'gave_up'
            WHEN told.fault = 'not_answering' AND open_since IS NOT NULL THEN 'not_answering'
        END AS fault
        FROM present LEFT JOIN told ON told.channel_id = present.id
    )
    SELECT coalesce(judged.id, told.channel_id), judged.name, judged.environment_id, judged.slug, judged.fault,
           judged.disabled_reason, judged.open_since, judged.dead_reason, judged.dead_at,
           told.channel_id IS NOT NULL, told.fault, told.reason, judged.enabled, judged.kind, judged.config::text
    FROM judged FULL JOIN told ON told.channel_id = judged.id
    ORDER BY judged.name
"""


@dataclass(frozen=True)
class _Look:
    """What is broken, what was told otherwise, and which alerts have nothing behind them any more."""

    broken: list[BrokenChannel]
    untold: list[BrokenChannel]
    mended: list[UUID]


def _look() -> _Look:
    parameters: dict[str, str | int] = {
        "test": MessageType.CHANNEL_TEST.value,
        "open_for": OPEN_FOR_SECONDS,
        "within": GAVE_UP_WITHIN_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, parameters)
        rows = cursor.fetchall()
    found = [(channel, row) for row in rows if (channel := _broken(row)) is not None]
    broken = {channel.id for channel, _row in found}
    return _Look(
        broken=[channel for channel, _row in found],
        untold=[channel for channel, row in found if (channel.fault.value, channel.reason) != row[10:12]],
        mended=[row[0] for row in rows if row[9] and row[0] not in broken],
    )


def _broken(row: tuple[Any, ...]) -> BrokenChannel | None:
    """None for one that works, and for what was told of one that is gone."""
    identifier, name, environment, slug, fault, disabled_reason, open_since, dead_reason, dead_at, is_told = row[:10]
    _told_fault, _told_reason, enabled, kind, config = row[10:]
    if enabled and (unreadable := unreadable_reason(kind, json.loads(config))):
        return BrokenChannel(identifier, name, environment, slug, Fault.UNREADABLE, unreadable, None, is_told)
    if fault is None:
        return None
    reason, since = {
        Fault.SWITCHED_OFF: (disabled_reason, dead_at),
        Fault.NOT_ANSWERING: ("", open_since),
        Fault.GAVE_UP: (dead_reason, dead_at),
    }[Fault(fault)]
    return BrokenChannel(identifier, name, environment, slug, Fault(fault), reason or "", since, is_told)


# --- On the overview ------------------------------------------------------------------------------------------


def list_broken_channels(user: User | AnonymousUser, environment: UUID | None = None) -> list[BrokenChannel]:
    """Those `user` may see, by name; of one environment, those it is told through.

    One query, one more when there are any.
    """
    broken = _look().broken
    if not broken:
        return []
    rows = Channel.objects.visible_to(user).filter(pk__in=[channel.id for channel in broken])
    if environment is not None:
        rows = rows.filter(Q(environment_id=environment) | Q(environment__isnull=True))
    visible = set(rows.values_list("pk", flat=True))
    return [channel for channel in broken if channel.id in visible]


def fault_words(detail: Mapping[str, Any]) -> str:
    """What is wrong, from the detail of an alert: "The receiver had it switched off (It leads back to this portal)"."""
    try:
        label = Fault(str(detail.get("fault"))).label
    except ValueError:
        return ""
    reason = str(detail.get("reason") or "")
    return gettext("%(fault)s (%(reason)s)") % {"fault": label, "reason": reason_label(reason)} if reason else label


# --- Through another channel ----------------------------------------------------------------------------------


def tell_of_broken_channels() -> int:
    """Open, bring up to date and resolve the alerts about channels. Returns how many changed.

    One query while nothing changes; the pipeline's lock is taken only when something has, and then it is asked again.
    """
    look = _look()
    if not look.untold and not look.mended:
        return 0
    with pipeline_lock():
        changes = _changes(_look(), clock.now())
        apply_changes(changes)
    return len(changes)


def _changes(look: _Look, at: datetime) -> list[SourceChange]:
    return [*_begun(look.untold, at), *(_ended(channel, at) for channel in look.mended)]


def _begun(channels: Iterable[BrokenChannel], at: datetime) -> list[SourceChange]:
    return [
        SourceChange(
            fingerprint=channel.key,
            cause=CAUSE,
            kind=AlertSource.Kind.PORTAL.value,
            key=channel.key,
            name=channel.name,
            severity=Severity.CRITICAL.value,
            at=at,
            environment=channel.environment,
            reason=channel.reason,
            detail=channel.detail,
            # "channel" keeps it from being told through the channel it is about.
            labels={
                "kind": "portal",
                "target": channel.name,
                "channel": str(channel.id),
                "environment": channel.environment_slug,
            },
            since=channel.since if channel.since is not None and channel.since < at else None,
        )
        for channel in channels
    ]


def _ended(channel: UUID, at: datetime) -> SourceChange:
    return SourceChange(
        fingerprint=key_of(channel),
        cause=CAUSE,
        kind=AlertSource.Kind.PORTAL.value,
        key=key_of(channel),
        name="",
        severity=Severity.CRITICAL.value,
        at=at,
        ended=True,
    )
