"""What a link is about, as things stand now: read before a page is shown and again before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.alerts.models import Alert, Channel, Notification, Silence
from apps.alerts.replies.tokens import Purpose, Reply
from apps.core import clock

# A message tells of at most 50 alerts by name; what it only counted is not acknowledged blindly.
MAX_ALERTS = 50
# What tells one target, or one thing the portal watches of itself, from another.
_WHO = ("target", "kind", "provider")


class ChannelGone(Exception):
    """The channel the link was sent through was deleted: nobody answers for it any more."""


class NothingLeft(Exception):
    """What it was about has been removed since."""


@dataclass(frozen=True)
class Matter:
    """The alerts a link is about, the oldest first, and the channel it came through.

    Of a link that silences a target it is the latest alert of that target, which says what the target is called.
    """

    purpose: Purpose
    channel: Channel
    alerts: tuple[Alert, ...]

    @property
    def open(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.resolved_at is None)

    @property
    def waiting(self) -> tuple[Alert, ...]:
        """Those nobody has acknowledged yet."""
        return tuple(alert for alert in self.open if alert.acknowledged_at is None)

    @property
    def first(self) -> Alert:
        return self.alerts[0]

    @property
    def matchers(self) -> list[dict[str, str]]:
        """What a silence made from here hushes: the whole target, or of it only the cause of the one alert."""
        names = _WHO if self.purpose is Purpose.SILENCE_TARGET else (*_WHO, "cause")
        values = {**self.first.labels, "cause": self.first.cause}
        known = {name: values[name] for name in names if isinstance(values.get(name), str) and values[name]}
        return [{"label": name, "operator": "=", "value": value} for name, value in known.items()]


def read_matter(reply: Reply) -> Matter:
    """What `reply` is about. Two queries. Raises ChannelGone or NothingLeft."""
    channel = Channel.objects.filter(pk=reply.channel, deleted_at__isnull=True).first()
    if channel is None:
        raise ChannelGone
    alerts = tuple(_ALERTS[reply.purpose](reply.subject))
    if not alerts:
        raise NothingLeft
    return Matter(reply.purpose, channel, alerts)


def _alert(identifier: UUID) -> list[Alert]:
    return list(_known().filter(pk=identifier))


def _alerts_of_message(identifier: UUID) -> list[Alert]:
    through = Notification.alerts.through.objects.filter(notification_id=identifier).values("alert_id")
    return list(_known().filter(pk__in=through).order_by("started_at", "pk")[:MAX_ALERTS])


def _latest_of_target(identifier: UUID) -> list[Alert]:
    return list(_known().filter(target_id=identifier).order_by("-started_at")[:1])


def _known() -> QuerySet[Alert]:
    """Alerts of a deleted target are gone with it."""
    there = Q(target__isnull=True) | Q(target__deleted_at__isnull=True)
    return Alert.objects.filter(there).select_related("target__namespace", "environment", "acknowledged_by")


_ALERTS: dict[Purpose, Callable[[UUID], list[Alert]]] = {
    Purpose.ACKNOWLEDGE_ALERT: _alert,
    Purpose.ACKNOWLEDGE_MESSAGE: _alerts_of_message,
    Purpose.SILENCE_ALERT: _alert,
    Purpose.SILENCE_TARGET: _latest_of_target,
}


def silenced_until(matter: Matter) -> datetime | None:
    """Until when a silence like the one this link makes is in force already. One query."""
    like_it = Silence.objects.active(clock.now()).filter(matchers=matter.matchers, environment=matter.first.environment)
    return like_it.order_by("-ends_at").values_list("ends_at", flat=True).first()
