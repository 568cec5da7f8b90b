"""What the overview warns of when somebody would not be told."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.alerts.broken_channels import BrokenChannel, Fault, list_broken_channels
from apps.alerts.channels.base import reason_label
from apps.dashboard.probing import NAMES_SHOWN, Notice


def channel_notices(user: User, environment: UUID | None) -> list[Notice]:
    """A sentence about the channel that is broken, or one about all that are. At most two queries."""
    broken = list_broken_channels(user, environment)
    if not broken:
        return []
    if len(broken) == 1:
        return [Notice(_about_one(broken[0]), reverse("alerts:channel", args=[broken[0].id]), _("Channel"), "bad")]
    words = {"number": len(broken), "channels": _names(broken)}
    sentence = ngettext(
        "Nobody is told through %(number)s channel: %(channels)s.",
        "Nobody is told through %(number)s channels: %(channels)s.",
        len(broken),
    )
    return [Notice(sentence % words, reverse("alerts:channel-list"), _("Channels"), "bad")]


def _about_one(channel: BrokenChannel) -> str:
    words = {"channel": channel.name, "reason": reason_label(channel.reason) if channel.reason else ""}
    sentences = {
        Fault.SWITCHED_OFF: _("%(channel)s was switched off by its receiver: nobody is told through it. %(reason)s."),
        Fault.NOT_ANSWERING: _("Nobody is told through %(channel)s: its receiver has not answered for 10 minutes."),
        Fault.GAVE_UP: _("A message through %(channel)s could not be delivered. %(reason)s."),
        Fault.UNREADABLE: _("Nobody is told through %(channel)s: its settings cannot be read."),
    }
    return sentences[channel.fault] % words


def _names(channels: Sequence[BrokenChannel]) -> str:
    names = [channel.name for channel in channels[:NAMES_SHOWN]]
    return ", ".join([*names, "…"] if len(channels) > NAMES_SHOWN else names)
