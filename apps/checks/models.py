"""Checks, what they found, what was decided from it, and the incidents that followed.

`StateChange` and `IncidentEvent` are the history **and** the outbox: whoever listens above claims the rows whose
`routed_at` is empty. Nothing here knows who that is.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Region, Target
from apps.catalog.status import STATUS_CHOICES, Status
from apps.core.ids import uuid7
from apps.probes.base import PROBE_KINDS, OutcomeState


def kind_choices() -> list[tuple[str, Any]]:
    """From the registry, so that a new kind needs no migration."""
    return PROBE_KINDS.choices()


class CheckQuerySet(VisibleQuerySet["Check"]):
    environment_path = "target__environment_id"

    def present(self) -> CheckQuerySet:
        return self.filter(deleted_at__isnull=True, target__deleted_at__isnull=True)


class Check(models.Model):
    """How, how often and from where we look at a target. `config` holds what the kind needs, its secrets sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="checks", verbose_name=_("target"))
    kind = models.CharField(_("kind"), max_length=32, choices=kind_choices)
    name = models.CharField(_("name"), max_length=200)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    interval_seconds = models.PositiveIntegerField(
        _("interval"), default=60, validators=[MinValueValidator(1), MaxValueValidator(86_400)]
    )
    timeout_seconds = models.FloatField(
        _("timeout"), default=10, validators=[MinValueValidator(0.1), MaxValueValidator(120)]
    )
    failure_threshold = models.PositiveSmallIntegerField(
        _("failures before a change"), default=2, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    recovery_threshold = models.PositiveSmallIntegerField(
        _("successes before recovery"), default=1, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    degraded_after_ms = models.PositiveIntegerField(_("slow above"), null=True, blank=True)
    # Regions that must agree; empty means the majority of those with a fresh verdict.
    quorum = models.PositiveSmallIntegerField(_("quorum"), null=True, blank=True)
    # Which part of the portal itself this looks at, for the checks of the first start; empty for everybody's own.
    portal_part = models.CharField(max_length=16, blank=True, default="", editable=False)
    affects_status = models.BooleanField(_("affects the status"), default=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    # When it was last switched on: a check that just began is "not measured", never "stale".
    enabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[CheckQuerySet] = CheckQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        constraints = [
            models.UniqueConstraint(
                "target",
                Lower("name"),
                condition=Q(deleted_at__isnull=True),
                name="checks_check_name_unique",
                violation_error_message=_("This target has a check with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/checks/{self.pk}/"


# Django keeps the attribute `check` of a model class for its system checks, so every relation to a Check is called
# `source_check`; the column is `check_id` all the same.


class CheckStatus(models.Model):
    """What the regions of one check agree on: written only when it changes, by `recording`."""

    source_check = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, db_column="check_id", related_name="status_row"
    )
    verdict = models.CharField(max_length=16, choices=STATUS_CHOICES, default=Status.UNKNOWN)
    since = models.DateTimeField()
    reason = models.CharField(max_length=40, default="not_measured")

    class Meta:
        verbose_name = _("status of a check")
        verbose_name_plural = _("statuses of checks")

    def __str__(self) -> str:
        return self.get_verdict_display()


class CheckRegion(models.Model):
    """One check in one region: its schedule, its claim and its counters in one narrow row.

    Fill factor 70 and no index on what changes: each result updates the row inside its page. The claim scans the
    table once a second, which is cheaper than keeping an index of a column that moves with every probe.
    """

    id = models.BigAutoField(primary_key=True)
    source_check = models.ForeignKey(Check, on_delete=models.CASCADE, db_column="check_id", related_name="regions")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="+")
    # Kept in step with the check (and its target) so that the claim reads one table.
    enabled = models.BooleanField(default=True)
    interval_seconds = models.PositiveIntegerField()
    timeout_seconds = models.FloatField()
    # Seconds into the interval at which this row is due: a hash of the id, so that checks spread over the interval.
    offset_seconds = models.FloatField(default=0)
    next_due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lost_leases = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveBigIntegerField(default=0)
    # Runs of consecutive outcomes: failed; degraded or worse; ok; not failed. `state.decide_region` reads them.
    failures = models.PositiveSmallIntegerField(default=0)
    degradations = models.PositiveSmallIntegerField(default=0)
    successes = models.PositiveSmallIntegerField(default=0)
    recoveries = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=16, choices=STATUS_CHOICES, default=Status.UNKNOWN)
    verdict_since = models.DateTimeField()
    reason = models.CharField(max_length=40, default="not_measured")
    last_result_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("region of a check")
        verbose_name_plural = _("regions of checks")
        constraints = [
            models.UniqueConstraint(fields=["source_check", "region"], name="checks_one_row_a_check_and_region")
        ]

    def __str__(self) -> str:
        return f"{self.source_check_id} · {self.region_id}"


class CheckResult(models.Model):
    """One look: a narrow row in a daily partition, written by COPY. Success costs this row and nothing else."""

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField()
    id = models.UUIDField()
    check_id = models.UUIDField()
    region_id = models.UUIDField()
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in OutcomeState])
    reason = models.CharField(max_length=40)
    duration_ms = models.FloatField()
    status_code = models.IntegerField(null=True)
    # Phase name to milliseconds, and what else the kind measured.
    measurements = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")


class CheckEvidence(models.Model):
    """What a look that was not ok saw (at most 16 kB): monthly partitions, kept longer than results."""

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField()
    id = models.UUIDField()
    check_id = models.UUIDField()
    evidence = models.JSONField()


class CheckRun(models.Model):
    """A look somebody asked for. Its id is the result's id, so its URL first says pending and then answers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source_check = models.ForeignKey(Check, on_delete=models.CASCADE, db_column="check_id", related_name="runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    # Whoever asks while this is empty and not expired gets the same run.
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    outcome = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_check"], condition=Q(finished_at__isnull=True), name="checks_one_pending_run"
            )
        ]


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
        ordering = ["incident", "sequence"]
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="checks_event_sequence_unique")]
        indexes = [
            models.Index(fields=["id"], condition=Q(routed_at__isnull=True), name="checks_event_unrouted"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} #{self.sequence} {self.kind}"


class Clock(models.Model):
    """When the portal last ticked. A gap here is our downtime, and restarts the staleness clock of every target."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ticked_at = models.DateTimeField()
    # The first tick after a start or a gap: nothing measured before it may be called stale until its time is up again.
    steady_since = models.DateTimeField()
