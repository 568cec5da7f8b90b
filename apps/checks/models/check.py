"""Checks: what is looked at, how and from where; each with its schedule, its counters and what they agree on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Region, Target
from apps.catalog.status import STATUS_CHOICES, Status
from apps.core.ids import uuid7
from apps.probes.base import PROBE_KINDS


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
    # After a look that was not ok the next one comes this soon, until the threshold has decided; empty: as usual.
    retry_interval_seconds = models.PositiveIntegerField(
        _("sooner after a failure"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3_600)]
    )
    # Where it is looked at from; none chosen means every enabled region.
    only_regions = models.ManyToManyField(Region, related_name="+", blank=True, verbose_name=_("only from"))
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
    retry_interval_seconds = models.PositiveIntegerField(null=True, blank=True)
    timeout_seconds = models.FloatField()
    # Paid looks that cannot succeed until somebody changes a key or a plan come no sooner than this; 0: as usual.
    held_seconds = models.PositiveIntegerField(default=0)
    # Heard, not looked at (a heartbeat): nobody claims the row, and `next_due_at` is the deadline of the next ping.
    passive = models.BooleanField(default=False)
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
        # Finds the rows of heartbeats among a hundred thousand others. Neither column ever changes, so updates stay
        # inside their page.
        indexes = [models.Index(fields=["source_check"], condition=Q(passive=True), name="checks_passive_rows")]

    def __str__(self) -> str:
        return f"{self.source_check_id} · {self.region_id}"
