"""What looks found: results and evidence in partitions, and the looks somebody asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.checks.models.check import Check
from apps.core.ids import uuid7
from apps.probes.base import OutcomeState


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
