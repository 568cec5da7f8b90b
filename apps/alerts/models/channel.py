"""Channels: the ways to tell somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import SharedQuerySet
from apps.alerts import times
from apps.alerts.channels.base import CHANNEL_KINDS
from apps.alerts.unreadable import Unreadable
from apps.catalog.models import Environment
from apps.core.ids import uuid7


def kind_choices() -> list[tuple[str, Any]]:
    """From the registry, so that a new channel kind needs no migration."""
    return CHANNEL_KINDS.choices()


LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]


def _has_other_words(channel: Channel) -> bool:
    words: object = channel.wording
    return not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values())


def _has_no_hours(channel: Channel) -> bool:
    try:
        times.load(channel.quiet_hours)
    except Unreadable:
        return True
    return False


def _has_no_settings(channel: Channel) -> bool:
    settings: object = channel.config
    return not isinstance(settings, dict)


_PROBLEMS: dict[str, Callable[[Channel], bool]] = {
    "config": _has_no_settings,
    "wording": _has_other_words,
    "quiet_hours": _has_no_hours,
}


_NOTHING: dict[str, Callable[[], Any]] = {"config": dict, "wording": dict, "quiet_hours": list}


class ChannelQuerySet(SharedQuerySet["Channel"]):
    def present(self) -> ChannelQuerySet:
        return self.filter(deleted_at__isnull=True)


class Channel(models.Model):
    """A way to tell somebody. Secrets in `config` are sealed. No environment: it hears of all of them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32, choices=kind_choices)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("environment")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    # How people are spoken to; a machine is told the same in every language.
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    # The user's own words by part ("title", "body"); empty: the kind's own. See `wording.user_words`.
    wording = models.JSONField(_("wording"), default=dict, blank=True)
    # [{"days": [0-6, Monday is 0], "start": "22:00", "end": "07:00"}] in `time_zone`; critical alerts pass.
    quiet_hours = models.JSONField(_("quiet hours"), default=list, blank=True)
    # Why the portal itself switched it off (a receiver that answered 410 asked for it); empty otherwise.
    disabled_reason = models.CharField(max_length=40, blank=True, default="")
    # The breaker: consecutive failures of the endpoint, and until when nothing is tried.
    failures = models.PositiveIntegerField(default=0, editable=False)
    open_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when it has been open, half-open tries in between included; empty while it is closed.
    open_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What of it cannot be read, by field. It is as if nothing were there, so that it stops nobody but itself.
    unreadable: tuple[str, ...] = ()

    objects: ClassVar[ChannelQuerySet] = ChannelQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(deleted_at__isnull=True),
                name="alerts_channel_name_unique",
                violation_error_message=_("A channel with this name exists."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/alerts/channels/{self.pk}/"

    @classmethod
    def from_db(cls, *loading: Any, **options: Any) -> Channel:
        channel = super().from_db(*loading, **options)
        left_out = channel.get_deferred_fields()
        channel.unreadable = tuple(
            name for name, problem in _PROBLEMS.items() if name not in left_out and problem(channel)
        )
        for name in channel.unreadable:
            setattr(channel, name, _NOTHING[name]())
        return channel
