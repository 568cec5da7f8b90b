"""Incidents and their history.

`StateChange` and `IncidentEvent` are the history **and** the outbox: whoever listens above claims the rows whose
`routed_at` is empty. Nothing here knows who that is.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Target
from apps.catalog.status import STATUS_CHOICES
from apps.checks.models.check import Check
from apps.core.ids import uuid7


class IncidentQuerySet(VisibleQuerySet["Incident"]):
    environment_path = "target__environment_id"

    def open(self) -> IncidentQuerySet:
        return self.filter(resolved_at__isnull=True)


class Incident(models.Model):
    """A period in which a target was not well. Never reopened: the next one links the one before."""

    class Severity(models.TextChoices):
        DEGRADED = "degraded", _("Degraded")
        OUTAGE = "outage", _("Outage")

    class Resolution(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        MAINTENANCE = "maintenance", _("Maintenance began")
        CHECK_REMOVED = "check_removed", _("Its last check was removed")
        TARGET_REMOVED = "target_removed", _("The target was removed")
        BY_HAND = "by_hand", _("Resolved by hand")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="incidents", verbose_name=_("target"))
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    reason = models.CharField(_("reason"), max_length=40)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    source_check = models.ForeignKey(
        Check,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="check_id",
        related_name="+",
        verbose_name=_("check"),
    )
    opened_at = models.DateTimeField(_("opened"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("acknowledged by"),
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution = models.CharField(_("resolution"), max_length=16, choices=Resolution, blank=True, default="")
    # An open incident stays open while its target cannot be measured, and says since when.
    not_measured_since = models.DateTimeField(_("not measured since"), null=True, blank=True)
    # Resolved by hand while it still failed: no new one opens until the target was operational once.
    holds_until_operational = models.BooleanField(_("no new one until operational"), default=False)
    previous = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("previous incident"),
    )
    last_sequence = models.PositiveIntegerField(_("last sequence"), default=0)

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["target"],
                condition=Q(resolved_at__isnull=True),
                name="checks_one_open_incident_a_target",
            )
        ]
        indexes = [models.Index(F("opened_at").desc(), name="checks_incident_opened")]

    def __str__(self) -> str:
        return f"{self.target} · {self.get_severity_display()}"

    def get_absolute_url(self) -> str:
        return f"/incidents/{self.pk}/"


class StateChangeQuerySet(VisibleQuerySet["StateChange"]):
    environment_path = "target__environment_id"


class StateChange(models.Model):
    """A target went from one status to another: when, why, and on what evidence. Immutable but for `routed_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="state_changes", verbose_name=_("target"))
    at = models.DateTimeField(_("when"))
    from_status = models.CharField(_("from"), max_length=16, choices=STATUS_CHOICES)
    to_status = models.CharField(_("to"), max_length=16, choices=STATUS_CHOICES)
    reason = models.CharField(_("reason"), max_length=40)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    source_check = models.ForeignKey(
        Check,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="check_id",
        related_name="+",
        verbose_name=_("check"),
    )
    incident = models.ForeignKey(
        Incident,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="state_changes",
        verbose_name=_("incident"),
    )
    routed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[StateChangeQuerySet] = StateChangeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        ordering = ["-at"]
        indexes = [
            models.Index("target", F("at").desc(), name="checks_change_of_target"),
            models.Index(F("at").desc(), name="checks_change_at"),
            models.Index(fields=["id"], condition=Q(routed_at__isnull=True), name="checks_change_unrouted"),
        ]

    def __str__(self) -> str:
        return f"{self.target_id}: {self.from_status} → {self.to_status}"


class IncidentEventQuerySet(VisibleQuerySet["IncidentEvent"]):
    environment_path = "incident__target__environment_id"


class IncidentEvent(models.Model):
    """One entry of an incident's timeline, numbered within it; also what is told to channels."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("Opened")
        UPDATED = "updated", _("Severity changed")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        NOTE = "note", _("Note")
        RESOLVED = "resolved", _("Resolved")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    at = models.DateTimeField(_("when"))
    sequence = models.PositiveIntegerField(_("sequence"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who"),
    )
    text = models.TextField(_("text"), blank=True, default="", max_length=5_000)
    # {"from", "to", "reason", "evidence"} as they were at the moment.
    change = models.JSONField(default=dict, blank=True)
    routed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[IncidentEventQuerySet] = IncidentEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("incident event")
        verbose_name_plural = _("incident events")
        ordering = ["incident_id", "sequence"]
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="checks_event_sequence_unique")]
        indexes = [
            models.Index(fields=["id"], condition=Q(routed_at__isnull=True), name="checks_event_unrouted"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} #{self.sequence} {self.kind}"
