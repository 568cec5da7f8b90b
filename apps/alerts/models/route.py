"""Routes: an ordered tree on labels that ends in channels."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import VisibleQuerySet
from apps.alerts.models.channel import Channel
from apps.core.ids import uuid7


class RouteQuerySet(VisibleQuerySet["Route"]):
    # The tree is one for the whole installation: whoever has any grant reads it.
    environment_path = ""


class Route(models.Model):
    """One node. Siblings are asked in order; the first that matches takes the alert, unless it says to go on.

    What is empty is inherited from the parent; above the first row is the implicit root, which has no matchers.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children", verbose_name=_("inside")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    channels = models.ManyToManyField(Channel, related_name="routes", blank=True, verbose_name=_("channels"))
    # Label names; empty list: all alerts of the route together; null: as the parent does.
    group_by = models.JSONField(_("group by"), null=True, blank=True, default=None)
    group_wait_seconds = models.PositiveIntegerField(_("group wait"), null=True, blank=True)
    group_interval_seconds = models.PositiveIntegerField(_("group interval"), null=True, blank=True)
    repeat_interval_seconds = models.PositiveIntegerField(_("repeat interval"), null=True, blank=True)
    continue_matching = models.BooleanField(_("continue with the next route"), default=False)
    # [{"days": [0-6, Monday is 0], "start": "08:00", "end": "18:00"}] in `time_zone`; empty: always.
    active_times = models.JSONField(_("active times"), default=list, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects: ClassVar[RouteQuerySet] = RouteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/alerts/routes/{self.pk}/"
