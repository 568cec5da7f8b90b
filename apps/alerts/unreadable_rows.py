"""Which rows of telling cannot be read, and what that means: for their own pages and for Settings → Health."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts import matching
from apps.alerts.channels.base import CHANNEL_KINDS, DeliveryReason
from apps.alerts.models import Channel, Route, Rule, Silence
from apps.alerts.routes.selectors import is_readable
from apps.alerts.ruling.readings import Problem
from apps.alerts.ruling.words import problem_sentence
from apps.alerts.unreadable import Unreadable
from apps.core import clock, kindconfig
from apps.core.secrets import SecretUnreadable, unseal


@dataclass(frozen=True)
class UnreadableRow:
    """One row with where it stands and what it means."""

    name: str
    url: str
    sentence: str


def list_unreadable(user: User | AnonymousUser) -> list[UnreadableRow]:
    """Everything `user` may see that cannot be read. Four queries."""
    looks: list[tuple[Iterable[Any], Callable[[Any], str]]] = [
        (Channel.objects.visible_to(user).present().order_by("name"), channel_problem),
        (Route.objects.visible_to(user).order_by("position", "pk"), route_problem),
        (Rule.objects.visible_to(user).present().filter(problem=Problem.UNREADABLE).order_by("name"), _rule_problem),
        (Silence.objects.visible_to(user).filter(ends_at__gt=clock.now()).order_by("ends_at"), silence_problem),
    ]
    return [
        UnreadableRow(str(row), row.get_absolute_url(), sentence)
        for rows, problem in looks
        for row in rows
        if (sentence := problem(row))
    ]


def channel_problem(channel: Channel) -> str:
    """What of a channel cannot be read, as a sentence; "" when all can."""
    reason = unreadable_reason(channel.kind, None if "config" in channel.unreadable else channel.config)
    if reason:
        return _("Nothing can be sent: %(reason)s. Enter its settings again.") % {
            "reason": DeliveryReason(reason).label
        }
    if "quiet_hours" in channel.unreadable:
        return _("Its quiet hours cannot be read, so it is told at any hour. Save them again.")
    if "wording" in channel.unreadable:
        return _("Your own words cannot be read, so the portal's are used. Save them again.")
    return ""


def unreadable_reason(kind: str, config: object) -> str:
    """The code with which every message through such a channel would be given up; "" when it can be sent."""
    if kind not in CHANNEL_KINDS:
        return DeliveryReason.UNKNOWN_KIND.value
    config_type = CHANNEL_KINDS.get(kind).Config
    try:
        open_one = kindconfig.unseal(config_type, config, unseal) if isinstance(config, dict) else config
        kindconfig.decode(config_type, open_one)
    except SecretUnreadable:
        return DeliveryReason.SECRET_UNREADABLE.value
    except kindconfig.ConfigError:
        return DeliveryReason.INVALID_CONFIGURATION.value
    return ""


def route_problem(route: Route) -> str:
    return "" if is_readable(route) else _("This route cannot be read, so it is not asked: save it again.")


def silence_problem(silence: Silence) -> str:
    try:
        # One without any, which is never stored, would hush everything.
        is_readable_one = bool(matching.load(silence.matchers))
    except Unreadable:
        is_readable_one = False
    return "" if is_readable_one else _("What it hushes cannot be read, so it hushes nothing: set another one.")


def _rule_problem(rule: Rule) -> str:
    return problem_sentence(rule.problem)
