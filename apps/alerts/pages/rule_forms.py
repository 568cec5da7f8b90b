"""The form of a rule: what every rule has, and what its kind declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.alerts.matching import LABEL_CHOICES
from apps.alerts.models import Rule, Severity
from apps.alerts.pages.row_fields import MatchersField
from apps.alerts.pages.suggestions import suggestions_for
from apps.alerts.rule_kinds.base import RuleKind
from apps.alerts.ruling.validation import LONGEST_FOR_SECONDS, TARGET_LABELS
from apps.catalog.models import Environment
from apps.core.configform import ConfigForm
from apps.core.durations import DurationField

# What only a kind with levels has, and what only one without them.
ONLY_WITH_LEVELS = ("operator", "warning_level", "critical_level", "recovery_margin")
ONLY_WITHOUT_LEVELS = ("severity",)
# What only a kind has that is read for each target.
ONLY_PER_TARGET = ("matchers", "environment")


class RuleForm(ConfigForm):
    """`values()` and `config()` are what the services take. Fields that say nothing about a kind are left out."""

    name = forms.CharField(label=_("Name"), max_length=200)
    environment = forms.ModelChoiceField(
        label=_("Environment"),
        queryset=Environment.objects.none(),
        required=False,
        empty_label=_("All environments"),
    )
    matchers = MatchersField(
        label=_("For which targets"),
        required=False,
        help_text=_("All conditions must hold. None: every target the numbers are there for."),
    )
    operator = forms.ChoiceField(label=_("Fires when the number is"), choices=Rule.Operator.choices)
    warning_level = forms.FloatField(label=_("Warning level"), required=False)
    critical_level = forms.FloatField(
        label=_("Critical level"), required=False, help_text=_("One of the two levels is enough.")
    )
    recovery_margin = forms.FloatField(
        label=_("Recovery margin"),
        required=False,
        min_value=0,
        help_text=_("So far back beyond the level the number must be before it counts as well again."),
    )
    severity = forms.ChoiceField(label=_("Severity"), choices=Severity.choices, initial=Severity.WARNING)
    for_seconds = DurationField(
        label=_("For"),
        required=False,
        maximum=LONGEST_FOR_SECONDS,
        empty_unit="minute",
        help_text=_("So long it must hold. Empty: critical is told at once, a warning after 15 minutes."),
    )
    no_data = forms.ChoiceField(label=_("When there is no data"), choices=Rule.NoData.choices, initial=Rule.NoData.KEEP)
    enabled = forms.BooleanField(label=_("Evaluate this rule"), required=False, initial=True)

    def __init__(
        self, kind: RuleKind[Any], stored: Mapping[str, Any] | None, user: User, data: Any = None, **kwargs: Any
    ) -> None:
        """`stored` is the config of the rule that is edited; `user` operates where it may be put."""
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        self._place(user)
        for name in ("warning_level", "critical_level", "recovery_margin"):
            self.fields[name].unit = kind.unit  # type: ignore[attr-defined]
        matchers: Any = self.fields["matchers"]
        matchers.widget.labels = [choice for choice in LABEL_CHOICES if choice[0] in TARGET_LABELS]
        matchers.widget.suggestions = suggestions_for(user) if kind.per_target else {}
        self._take_out(() if kind.has_levels else ONLY_WITH_LEVELS)
        self._take_out(ONLY_WITHOUT_LEVELS if kind.has_levels else ())
        self._take_out(() if kind.per_target else ONLY_PER_TARGET)

    def _place(self, user: User) -> None:
        place: Any = self.fields["environment"]
        place.queryset = Environment.objects.visible_to(user, Role.OPERATOR)
        if not access_of(user).allows(Role.OPERATOR, None):
            place.required, place.empty_label = True, None

    def _take_out(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.fields.pop(name, None)

    def clean_recovery_margin(self) -> float:
        return float(self.cleaned_data["recovery_margin"] or 0.0)
