"""Notifications: every delivery with all its attempts.

A Notification is one message to one channel. Its id is the `webhook-id` of every attempt and survives replay, so that
a receiver can tell a repeat from news.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.alerts.models.alert import Alert
from apps.alerts.models.channel import Channel
from apps.catalog.models import Environment
from apps.checks.models import Incident
from apps.core.ids import uuid7


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
    # The outbox row this tells of: an IncidentEvent or an AlertEvent; for a message that tells of several alerts, and
    # for a test, the notification's own id.
    source = models.UUIDField()
    kind = models.CharField(_("type"), max_length=40)
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    # Every alert the message tells of.
    alerts = models.ManyToManyField(Alert, related_name="notifications", blank=True)
    # Within one lane (an incident, an alert, a group; a channel's own id for a storm card, which everything after it
    # waits for) n+1 waits until n is sent, dead or dropped.
    lane = models.UUIDField(null=True, blank=True, editable=False)
    # A message to people holds all there is to say about its lane: one still waiting is dropped for a newer one.
    replaceable = models.BooleanField(default=False, editable=False)
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
                fields=["channel", "not_before", "id"],
                condition=Q(state__in=["pending", "sending"]),
                name="alerts_notification_waiting",
            ),
            # How many senders each channel has: counted before every claim.
            models.Index(fields=["channel"], condition=Q(state="sending"), name="alerts_notification_sending"),
            models.Index(F("created_at").desc(), name="alerts_notification_created"),
            models.Index(
                fields=["channel", "lane", "sequence"],
                condition=Q(state__in=["pending", "sending"]),
                name="alerts_notification_order",
            ),
            models.Index("channel", F("created_at").desc(), name="alerts_notification_of_channel"),
            # What each channel gave up on last: asked for every few seconds.
            models.Index(
                "channel", F("finished_at").desc(), condition=Q(state="dead"), name="alerts_notification_dead"
            ),
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
        ordering = ["notification_id", "number"]
        constraints = [models.UniqueConstraint(fields=["notification", "number"], name="alerts_attempt_number_unique")]

    def __str__(self) -> str:
        return f"{self.notification_id} · {self.number}"
