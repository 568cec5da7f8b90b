"""Rules: when a status or a number is an alert, and how far each has come for each target."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import SharedQuerySet
from apps.alerts.rule_kinds.base import RULE_KINDS
from apps.catalog.models import Environment, Target
from apps.core.ids import uuid7


def rule_kind_choices() -> list[tuple[str, Any]]:
    """From the registry, so that a new kind of rule needs no migration."""
    return RULE_KINDS.choices()


class RuleQuerySet(SharedQuerySet["Rule"]):
    def present(self) -> RuleQuerySet:
        return self.filter(deleted_at__isnull=True)


class Rule(models.Model):
    """When something is an alert. `kind` names what is measured; levels and times say when it counts.

    Evaluated for each target its matchers let through (or once, for what the portal measures of itself).
    """

    class NoData(models.TextChoices):
        KEEP = "keep", _("Leave it as it was")
        RESOLVE = "resolve", _("Resolve")
        ALERT = "alert", _("Alert")

    class Operator(models.TextChoices):
        ABOVE = ">", _("above")
        BELOW = "<", _("below")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32, choices=rule_kind_choices)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("environment")
    )
    # [{"label", "operator", "value"}]: all must hold. See `matching`.
    matchers = models.JSONField(_("matchers"), default=list, blank=True)
    operator = models.CharField(_("operator"), max_length=1, choices=Operator, default=Operator.ABOVE)
    # In the unit of the kind. A kind about a state (`status`) has none of them, and `severity` instead.
    warning_level = models.FloatField(_("warning level"), null=True, blank=True)
    critical_level = models.FloatField(_("critical level"), null=True, blank=True)
    # How far back beyond the level the number must be before it counts as well again.
    recovery_margin = models.FloatField(_("recovery margin"), default=0.0)
    severity = models.CharField(_("severity"), max_length=16, blank=True, default="")
    # Seconds a level must hold; empty: at once for critical, 15 minutes for warning.
    for_seconds = models.PositiveIntegerField(_("for"), null=True, blank=True)
    no_data = models.CharField(_("no data"), max_length=16, choices=NoData, default=NoData.KEEP)
    enabled = models.BooleanField(_("enabled"), default=True)
    # What made it: the key of a default rule, so that one somebody removed is not made again.
    seed = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    evaluated_at = models.DateTimeField(_("evaluated"), null=True, blank=True, editable=False)
    # Why the last evaluation came to nothing (a code), empty when it went well.
    problem = models.CharField(max_length=40, blank=True, default="", editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[RuleQuerySet] = RuleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(deleted_at__isnull=True),
                name="alerts_rule_name_unique",
                violation_error_message=_("A rule with this name exists."),
            ),
            models.UniqueConstraint(fields=["seed"], condition=~Q(seed=""), name="alerts_rule_seed_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/alerts/rules/{self.pk}/"


class RuleState(models.Model):
    """How far one rule has come for one target. Only what is not well has a row. No target: the portal itself."""

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="states")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, null=True, related_name="+")
    # A severity or "no_data": the worst it is beyond now; since when it is beyond any level, and beyond the worst.
    level = models.CharField(max_length=16)
    since = models.DateTimeField()
    worst_since = models.DateTimeField(null=True, blank=True)
    # Whether it has stood there long enough, and as what it fires; see `rules.Standing`.
    firing = models.BooleanField(default=False)
    severity = models.CharField(max_length=16, blank=True, default="")
    # The number when any of this last changed.
    value = models.FloatField(null=True, blank=True)
    evaluated_at = models.DateTimeField()

    class Meta:
        verbose_name = _("state of a rule")
        verbose_name_plural = _("states of rules")
        constraints = [
            models.UniqueConstraint(fields=["rule", "target"], nulls_distinct=False, name="alerts_rule_state_unique")
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} · {self.target_id} · {self.level}"
