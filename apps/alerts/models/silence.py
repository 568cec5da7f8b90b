"""Silences: for a while, nobody is told of what matches."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import SharedQuerySet
from apps.catalog.models import Environment
from apps.core.ids import uuid7


class SilenceQuerySet(SharedQuerySet["Silence"]):
    def active(self, at: datetime) -> SilenceQuerySet:
        return self.filter(starts_at__lte=at, ends_at__gt=at)


class Silence(models.Model):
    """Stops the telling, never the measuring, of what matches, from one moment to another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("environment")
    )
    matchers = models.JSONField(_("matchers"), default=list)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    comment = models.CharField(_("comment"), max_length=1_000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("author")
    )
    # The channel whose message it was made from, when nobody was signed in.
    made_through = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[SilenceQuerySet] = SilenceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        ordering = ["-ends_at"]
        indexes = [models.Index(F("ends_at").desc(), name="alerts_silence_ends")]

    def __str__(self) -> str:
        return self.comment

    def get_absolute_url(self) -> str:
        return f"/alerts/silences/{self.pk}/"
