"""Alerts: what is wrong, under one fingerprint a cause, with all sources that say so.

`AlertEvent` is the outbox of the pipeline: a row with an empty `routed_at` has not been routed. `AlertDecision` is
what the pipeline did with it, and answers "why was I not told?".
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import SharedQuerySet
from apps.alerts.models.rule import Rule
from apps.catalog.models import Environment, Target
from apps.checks.models import Incident
from apps.core.ids import uuid7


class Severity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    WARNING = "warning", _("Warning")
    INFO = "info", _("Info")


class AlertQuerySet(SharedQuerySet["Alert"]):
    def firing(self) -> AlertQuerySet:
        return self.filter(resolved_at__isnull=True)


class Alert(models.Model):
    """One cause that somebody should know of. At most one is open a fingerprint."""

    class Resolution(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        ENDED = "ended", _("Nothing says so any more")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # "<target id or 'portal'>:<cause>": what makes two sources one alert.
    fingerprint = models.CharField(max_length=120)
    cause = models.CharField(_("cause"), max_length=60)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("environment")
    )
    target = models.ForeignKey(
        Target, on_delete=models.CASCADE, null=True, related_name="alerts", verbose_name=_("target")
    )
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, related_name="alerts", verbose_name=_("incident")
    )
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    # {"environment", "severity", "kind", "target", "cause", "tag": [...], "rule": [...], "reason", "error_class",
    # "fault", "provider"}
    labels = models.JSONField(_("labels"), default=dict)
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    # What was found: {"value", "level", "unit", "operator"} of a rule, {"evidence"} of an incident.
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    started_at = models.DateTimeField(_("started"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution = models.CharField(_("resolution"), max_length=16, choices=Resolution, blank=True, default="")
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("acknowledged by"),
    )
    # Through what it was acknowledged when nobody was signed in (the link in a message): a channel's name.
    acknowledged_through = models.CharField(max_length=200, blank=True, default="")
    # People hear of it this many seconds after it started (machines at once).
    hold_seconds = models.PositiveIntegerField(default=0)
    last_sequence = models.PositiveIntegerField(default=0)

    objects: ClassVar[AlertQuerySet] = AlertQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(resolved_at__isnull=True), name="alerts_one_open_a_fingerprint"
            )
        ]
        indexes = [
            models.Index(F("started_at").desc(), name="alerts_alert_started"),
            models.Index("target", F("started_at").desc(), name="alerts_alert_of_target"),
        ]

    def __str__(self) -> str:
        return f"{self.labels.get('target', '')} · {self.cause}".strip(" ·")

    def get_absolute_url(self) -> str:
        return f"/alerts/{self.pk}/"

    @property
    def is_firing(self) -> bool:
        return self.resolved_at is None


class AlertSource(models.Model):
    """One thing that says so: an incident, or a rule. An alert ends when the last of them has ended."""

    class Kind(models.TextChoices):
        INCIDENT = "incident", _("Incident")
        RULE = "rule", _("Rule")
        PORTAL = "portal", _("The portal itself")

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    # The incident's or rule's id as text; its name as it was, for when it is gone.
    key = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=200)
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, related_name="+")
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    detail = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("source of an alert")
        verbose_name_plural = _("sources of alerts")
        ordering = ["since"]
        constraints = [models.UniqueConstraint(fields=["alert", "kind", "key"], name="alerts_source_once")]

    def __str__(self) -> str:
        return self.name


class AlertEvent(models.Model):
    """One step of an alert, numbered within it: its timeline, and the outbox of the pipeline."""

    class Kind(models.TextChoices):
        FIRING = "firing", _("Firing")
        UPDATED = "updated", _("Severity changed")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        RESOLVED = "resolved", _("Resolved")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    at = models.DateTimeField(_("when"))
    sequence = models.PositiveIntegerField(_("sequence"))
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The IncidentEvent behind it, or its own id; the word on the wire; and what a machine is told.
    source = models.UUIDField()
    type = models.CharField(max_length=40)
    payload = models.JSONField(default=dict, blank=True)
    routed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("step of an alert")
        verbose_name_plural = _("steps of alerts")
        # By the column: by the name, every unordered question would join the alerts.
        ordering = ["alert_id", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "sequence"], name="alerts_event_sequence_unique"),
            # An incident's event is taken once, whatever is repeated.
            models.UniqueConstraint(fields=["source"], name="alerts_event_source_unique"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(routed_at__isnull=True), name="alerts_event_unrouted")]

    def __str__(self) -> str:
        return f"{self.alert_id} #{self.sequence} {self.kind}"


class AlertDecision(models.Model):
    """What the pipeline did with an alert for one channel, whenever that changed. No channel: it reached none."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("Sent")
        HELD = "held", _("Held")
        DROPPED = "dropped", _("Dropped")

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="decisions")
    channel = models.ForeignKey("alerts.Channel", on_delete=models.CASCADE, null=True, related_name="+")
    route = models.ForeignKey("alerts.Route", on_delete=models.SET_NULL, null=True, related_name="+")
    notification = models.ForeignKey(
        "alerts.Notification", on_delete=models.SET_NULL, null=True, related_name="decisions"
    )
    at = models.DateTimeField(_("when"))
    # The step of the alert it was about.
    sequence = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=16, choices=Outcome)
    stage = models.CharField(max_length=16)
    reason = models.CharField(max_length=40)
    # {"silence", "parent", "alert", "until", ...}: what the sentence about it needs.
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["id"]
        indexes = [models.Index(fields=["alert", "id"], name="alerts_decision_of_alert")]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.outcome} {self.reason}"
