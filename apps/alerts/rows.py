"""Rows of the pages: each a record with everything its template shows, so that a template asks no question."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.access import Role
from apps.accounts.doors import may
from apps.accounts.models import User
from apps.alerts.channels.base import CHANNEL_KINDS, DeliveryReason, MessageType, reason_label
from apps.alerts.looks import Look, attempt_look, channel_look, notification_look
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.catalog.naming import Name


@dataclass(frozen=True)
class ChannelRow:
    """A channel with what its list shows. `last` is the look of its newest notification, None before the first."""

    channel: Channel
    kind: str
    destination: str
    look: Look
    last: Look | None
    last_url: str
    last_at: datetime | None
    may_edit: bool


def channel_row(user: User, channel: Any) -> ChannelRow:
    """`channel` comes from `list_channels`."""
    known = CHANNEL_KINDS.get(channel.kind) if channel.kind in CHANNEL_KINDS else None
    return ChannelRow(
        channel=channel,
        kind=str(known.label) if known else channel.kind,
        destination=known.destination(channel.config) if known else "",
        look=channel_look(channel),
        last=notification_look(channel.last_state, channel.last_attempts) if channel.last_id else None,
        last_url=f"/alerts/notifications/{channel.last_id}/" if channel.last_id else "",
        last_at=channel.last_at,
        may_edit=may(user, Role.ADMIN, channel.environment_id),
    )


@dataclass(frozen=True)
class NotificationRow:
    """A notification with what its list shows. `subject` is what it tells of, or the channel for a test.

    `last_ms` and `last_status` are those of the newest attempt, None before the first (or when nobody answered).
    """

    notification: Notification
    message: str
    look: Look
    why: str
    subject: Name
    subject_url: str
    alert_count: int
    last_ms: float | None
    last_status: int | None

    @property
    def is_waiting(self) -> bool:
        return self.notification.state in (Notification.State.PENDING, Notification.State.SENDING)


def notification_row(notification: Any) -> NotificationRow:
    """`notification` comes from `lists.with_story`; one that was just made has no story yet."""
    kind = notification.kind
    subject, subject_url = _subject(notification)
    return NotificationRow(
        notification=notification,
        message=MessageType(kind).label if kind in set(MessageType) else kind,
        look=notification_look(notification.state, notification.attempts),
        why=_why(notification),
        subject=subject,
        subject_url=subject_url,
        alert_count=getattr(notification, "alert_count", 0),
        last_ms=getattr(notification, "last_ms", None),
        last_status=getattr(notification, "last_status", None),
    )


def _subject(notification: Any) -> tuple[Name, str]:
    """What it tells of, and where that is shown: an incident, an alert, several (its own page lists them)."""
    if notification.incident is not None:
        return notification.incident.target.full_name, notification.incident.get_absolute_url()
    if not getattr(notification, "alert_count", 0):
        return Name(notification.channel.name), notification.channel.get_absolute_url()
    name = Name(notification.alert_name or _("The portal itself"), notification.alert_provider or "")
    if notification.alert_count == 1:
        return name, f"/alerts/{notification.alert_id}/"
    others = notification.alert_count - 1
    words = {"name": name, "number": others}
    sentence = ngettext("%(name)s and %(number)s other", "%(name)s and %(number)s others", others) % words
    return Name(sentence), notification.get_absolute_url()


def _why(notification: Notification) -> str:
    """Nothing to explain where it went well, or has not been tried and may be."""
    if notification.state == Notification.State.PENDING and not notification.channel.enabled:
        return reason_label(DeliveryReason.CHANNEL_DISABLED.value)
    if not notification.reason or notification.state == Notification.State.SENT:
        return ""
    return reason_label(notification.reason)


@dataclass(frozen=True)
class AttemptRow:
    """One attempt; `why` is empty for the one that went well."""

    attempt: NotificationAttempt
    look: Look
    why: str


def attempt_rows(attempts: Iterable[NotificationAttempt]) -> list[AttemptRow]:
    """The newest first; `attempts` are in order."""
    return [_attempt_row(attempt) for attempt in attempts][::-1]


def _attempt_row(attempt: NotificationAttempt) -> AttemptRow:
    why = "" if attempt.succeeded else reason_label(attempt.reason)
    return AttemptRow(attempt, attempt_look(attempt.succeeded), why)
