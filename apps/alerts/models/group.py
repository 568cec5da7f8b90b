"""Groups: what one channel hears together, when it is next looked at, and what it has been told already."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.alert import Alert
from apps.alerts.models.channel import Channel
from apps.alerts.models.route import Route
from apps.core.ids import uuid7


class AlertGroup(models.Model):
    """Alerts of one route (none: the implicit root) that one channel hears of in one message."""

    class Mode(models.TextChoices):
        # Every step of every alert by itself, for machines.
        EACH = "each", _("One by one")
        GROUP = "group", _("Grouped")
        DIGEST = "digest", _("Digest")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="groups")
    route = models.ForeignKey(Route, on_delete=models.CASCADE, null=True, related_name="groups")
    mode = models.CharField(max_length=16, choices=Mode)
    # The values of the route's `group_by` labels, and a digest of them (or the alert's id when each is a group).
    key = models.CharField(max_length=64)
    labels = models.JSONField(default=dict)
    # When it is looked at again; empty: not before something happens.
    due_at = models.DateTimeField(null=True)
    flushed_at = models.DateTimeField(null=True)
    # When something was last told, for reminders.
    told_at = models.DateTimeField(null=True)
    sequence = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("group of alerts")
        verbose_name_plural = _("groups of alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "route", "mode", "key"], nulls_distinct=False, name="alerts_group_unique"
            )
        ]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="alerts_group_due")]

    def __str__(self) -> str:
        return f"{self.channel_id} · {self.mode} · {self.key}"


class GroupMember(models.Model):
    """One alert in a group: what its channel was last told of it, and what keeps it from being told now."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(AlertGroup, on_delete=models.CASCADE, related_name="members")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="memberships")
    # The last step told (0: none), and what it said: "firing" or "resolved".
    told_sequence = models.PositiveIntegerField(default=0)
    told_state = models.CharField(max_length=16, blank=True, default="")
    told_severity = models.CharField(max_length=16, blank=True, default="")
    told_acknowledged = models.BooleanField(default=False)
    # The last decision written down, so that the same is not written again.
    decided = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("member of a group")
        verbose_name_plural = _("members of groups")
        constraints = [models.UniqueConstraint(fields=["group", "alert"], name="alerts_member_once")]

    def __str__(self) -> str:
        return f"{self.group_id} · {self.alert_id}"
