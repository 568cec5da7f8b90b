"""Who is told: channels, and every notification with all its attempts.

A Notification is one delivery of one incident event to one channel. Its id is the `webhook-id` of every attempt and
survives replay, so that a receiver can tell a repeat from news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import Role, VisibleQuerySet, access_of
from apps.alerts.channels.base import CHANNEL_KINDS
from apps.catalog.models import Environment
from apps.checks.models import Incident
from apps.core.ids import uuid7

if TYPE_CHECKING:
    from apps.accounts.models import User


def kind_choices() -> list[tuple[str, Any]]:
    """From the registry, so that a new channel kind needs no migration."""
    return CHANNEL_KINDS.choices()


class ChannelQuerySet(VisibleQuerySet["Channel"]):
    environment_path = "environment_id"

    def visible_to(self, user: User | AnonymousUser, role: Role = Role.VIEWER) -> Self:
        """A channel without an environment hears of all of them, so any grant may read it; to change it takes a
        grant for all of them."""
        access = access_of(user)
        if access.allows(role, None):
            return self
        environments = [identifier for identifier in access.environments if access.allows(role, identifier)]
        if not environments:
            return self.none()
        inside = Q(environment__in=environments)
        return self.filter(inside | Q(environment__isnull=True) if role == Role.VIEWER else inside)

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
    # Why the portal itself switched it off (a receiver that answered 410 asked for it); empty otherwise.
    disabled_reason = models.CharField(max_length=40, blank=True, default="")
    # The breaker: consecutive failures of the endpoint, and until when nothing is tried.
    failures = models.PositiveIntegerField(default=0, editable=False)
    open_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

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


class NotificationQuerySet(VisibleQuerySet["Notification"]):
    environment_path = "environment_id"


class Notification(models.Model):
    """pending → sending (lease) → sent | pending (not before) | dead | dropped (reason)."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Given up")
        DROPPED = "dropped", _("Dropped")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="notifications", verbose_name=_("channel")
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("environment")
    )
    # The outbox row this tells of (an IncidentEvent, or the notification's own id for a test message).
    source = models.UUIDField()
    kind = models.CharField(_("type"), max_length=40)
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    # Within one incident n+1 waits until n is sent, dead or dropped.
    sequence = models.PositiveIntegerField(default=0)
    payload = models.JSONField(_("message"), default=dict)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Attempts before the last replay do not count against the limit.
    attempts_allowed = models.PositiveSmallIntegerField(default=15)
    not_before = models.DateTimeField(_("next try"))
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects: ClassVar[NotificationQuerySet] = NotificationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "source", "kind"], name="alerts_told_once"),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=Q(state__in=["pending", "sending"]),
                name="alerts_notification_waiting",
            ),
            models.Index(F("created_at").desc(), name="alerts_notification_created"),
            models.Index(fields=["channel", "incident", "sequence"], name="alerts_notification_order"),
            models.Index("channel", F("created_at").desc(), name="alerts_notification_of_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.channel_id}"

    def get_absolute_url(self) -> str:
        return f"/alerts/notifications/{self.pk}/"


class NotificationAttempt(models.Model):
    """One try to deliver: when, how long, what came back."""

    id = models.BigAutoField(primary_key=True)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="attempt_rows")
    number = models.PositiveSmallIntegerField(_("number"))
    at = models.DateTimeField(_("when"))
    # Empty when the sending process stopped before it heard an answer.
    duration_ms = models.FloatField(_("duration (ms)"), null=True, blank=True)
    succeeded = models.BooleanField(_("delivered"))
    status_code = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=40)
    # The first bytes of the answer, for administrators (a receiver's answer may hold what others should not read).
    answer = models.CharField(_("answer"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["notification", "number"]
        constraints = [models.UniqueConstraint(fields=["notification", "number"], name="alerts_attempt_number_unique")]

    def __str__(self) -> str:
        return f"{self.notification_id} · {self.number}"
