"""Guards: what a region looks at to know whether its own line works."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.catalog.models import Region
from apps.checks.models.check import kind_choices
from apps.core.ids import uuid7


class LineState(models.TextChoices):
    """What a region last found at a guard."""

    UNKNOWN = "unknown", _("Not looked at yet")
    ANSWERS = "answers", _("Answers")
    FAILS = "fails", _("Does not answer")


class GuardQuerySet(VisibleQuerySet["Guard"]):
    # A region is nobody's environment: everybody who may sign in sees it, administrators of all of them edit it.
    environment_path = ""


class Guard(models.Model):
    """A reference target of one region. While every guard of a region fails, its failures say nothing about targets.

    Looked at by the region's workers themselves, whenever they have work; written here from what they report.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="guards", verbose_name=_("region"))
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32, choices=kind_choices)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    timeout_seconds = models.FloatField(_("timeout"), default=3)
    enabled = models.BooleanField(_("enabled"), default=True)
    state = models.CharField(_("state"), max_length=16, choices=LineState, default=LineState.UNKNOWN, editable=False)
    since = models.DateTimeField(_("since"), null=True, editable=False)
    reason = models.CharField(max_length=40, blank=True, default="", editable=False)
    evidence = models.JSONField(default=dict, blank=True, editable=False)
    last_looked_at = models.DateTimeField(_("last look"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[GuardQuerySet] = GuardQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("guard")
        verbose_name_plural = _("guards")
        ordering = ["region", "name"]
        constraints = [
            models.UniqueConstraint(
                "region",
                Lower("name"),
                name="checks_guard_name_unique",
                violation_error_message=_("This region has a guard with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name
