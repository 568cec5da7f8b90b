"""How channels and notifications look: a word, a colour token and a shape, the three always together."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.alerts.channels.base import reason_label
from apps.alerts.models import Channel, Notification
from apps.core import clock


@dataclass(frozen=True)
class Look:
    """`token` names the colour; `shape` is the template that draws the shape."""

    word: str
    token: str
    shape: str


def _look(word: str, token: str, shape: str) -> Look:
    return Look(word, token, f"components/shapes/{shape}.html")


def channel_look(channel: Channel) -> Look:
    """On, off and why, or left alone for a while."""
    if channel.disabled_reason:
        reason = reason_label(channel.disabled_reason)
        return _look(_("Switched off: %(reason)s") % {"reason": reason}, "bad", "outage")
    if not channel.enabled:
        return _look(pgettext("a channel", "Off"), "mute", "unknown")
    if channel.open_until is not None and channel.open_until > clock.now():
        return _look(_("Waiting for the receiver"), "warn", "degraded")
    return _look(pgettext("a channel", "On"), "ok", "operational")


def notification_look(state: str, attempts: int = 0) -> Look:
    """The state of a notification; one that waits after a failed attempt looks like it."""
    if state == Notification.State.PENDING and attempts:
        return _look(_("Waiting to try again"), "warn", "degraded")
    token, shape = _STATES.get(state, ("mute", "unknown"))
    word = Notification.State(state).label if state in Notification.State.values else state
    return _look(str(word), token, shape)


_STATES: dict[str, tuple[str, str]] = {
    Notification.State.PENDING: ("info", "maintenance"),
    Notification.State.SENDING: ("info", "maintenance"),
    Notification.State.SENT: ("ok", "operational"),
    Notification.State.DEAD: ("bad", "outage"),
    Notification.State.DROPPED: ("mute", "unknown"),
}


def attempt_look(succeeded: bool) -> Look:
    return _look(_("Delivered"), "ok", "operational") if succeeded else _look(_("Failed"), "bad", "outage")
