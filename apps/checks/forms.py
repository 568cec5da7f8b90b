"""The form of a check: what every check has, and what its kind declares in its config struct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from apps.catalog.models import Region
from apps.checks.region_words import RegionChoice, region_choices
from apps.core.configform import ConfigForm
from apps.probes.base import ProbeKind
from apps.probes.conditions import OPERATOR_LABELS

# What says how we look: a check that is told has none of it.
ONLY_FOR_LOOKING = (
    "interval_seconds",
    "retry_interval_seconds",
    "timeout_seconds",
    "degraded_after_ms",
    "only_regions",
    "quorum",
)
# What only a check that is told has.
ONLY_FOR_TOLD = ("slug",)
# What only makes sense where there is more than one region to look from.
ONLY_FOR_REGIONS = ("only_regions", "quorum")


@dataclass(frozen=True)
class RegionBox:
    """A region to tick, with what is to be known before it is."""

    box: Any
    note: str


class CheckForm(ConfigForm):
    """How often, when it counts, and what to look at. `values()` and `config()` are what the services take.

    Fields that say nothing about a kind are not part of its form, so that a service keeps what it has.
    """

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    interval_seconds = forms.IntegerField(label=gettext_lazy("Interval"), help_text=gettext_lazy("From 1 second on."))
    timeout_seconds = forms.FloatField(
        label=gettext_lazy("Timeout"), help_text=gettext_lazy("Not longer than the interval.")
    )
    retry_interval_seconds = forms.IntegerField(
        label=gettext_lazy("Look again sooner after a failure"),
        required=False,
        help_text=gettext_lazy(
            "After a bad look the next ones come this soon, until it is decided whether the status changes. "
            "Empty: every look keeps to the interval."
        ),
    )
    failure_threshold = forms.IntegerField(
        label=gettext_lazy("Failures before a change"),
        help_text=gettext_lazy("So many looks in a row must fail before the status changes."),
    )
    recovery_threshold = forms.IntegerField(
        label=gettext_lazy("Successes before recovery"),
        help_text=gettext_lazy("So many looks in a row must be good before it counts as well again."),
    )
    degraded_after_ms = forms.IntegerField(
        label=gettext_lazy("Slow above"),
        required=False,
        help_text=gettext_lazy("A slower answer counts as degraded. Empty: speed is not judged."),
    )
    only_regions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only from"),
        queryset=Region.objects.none(),
        to_field_name="slug",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: from every region that is in use."),
    )
    quorum = forms.IntegerField(label=gettext_lazy("Regions that must agree"), required=False, min_value=1)
    affects_status = forms.BooleanField(
        label=gettext_lazy("Affects the status of the target"),
        required=False,
        help_text=gettext_lazy("Without it the check is measured and shown, and decides nothing."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Look at it on schedule"), required=False)
    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("In the address by a ping key: /ping/<key>/<slug>. Empty: from the target's name."),
    )

    units = {
        "interval_seconds": pgettext_lazy("unit", "s"),
        "retry_interval_seconds": pgettext_lazy("unit", "s"),
        "timeout_seconds": pgettext_lazy("unit", "s"),
        "degraded_after_ms": "ms",
    }

    def __init__(self, kind: ProbeKind[Any], stored: Mapping[str, Any] | None, data: Any = None, **kwargs: Any) -> None:
        """`stored` is the masked config of the check that is edited; None for a new one."""
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        for name, unit in self.units.items():
            self.fields[name].unit = unit  # type: ignore[attr-defined]
        self.regions: list[RegionChoice] = []
        self.is_told = kind.transport == "push"
        if self.is_told:
            self._take_out(ONLY_FOR_LOOKING)
            self._say_told()
        else:
            self._take_out(ONLY_FOR_TOLD)
            self._offer_regions()

    def _say_told(self) -> None:
        self.fields["enabled"].label = _("Expect its pings")
        self.fields["failure_threshold"].help_text = _("So many must fail or be missing before the status changes.")
        self.fields["recovery_threshold"].help_text = _("So many must be good before it counts as well again.")

    def _offer_regions(self) -> None:
        chosen = list(self.initial.get("only_regions") or [])
        self.regions = region_choices(chosen)
        if len(self.regions) < 2 and not chosen:
            self._take_out(ONLY_FOR_REGIONS)
            return
        slugs = [region.slug for region in self.regions]
        self.fields["only_regions"].queryset = Region.objects.filter(slug__in=slugs)  # type: ignore[attr-defined]
        self.fields["quorum"].help_text = ngettext(
            "Of %(number)s region: a smaller number is quicker to tell, a larger one is surer. "
            "Empty: most of those with a fresh verdict.",
            "Of %(number)s regions: a smaller number is quicker to tell, a larger one is surer. "
            "Empty: most of those with a fresh verdict.",
            len(slugs),
        ) % {"number": len(slugs)}

    def _take_out(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.fields.pop(name, None)

    @property
    def region_boxes(self) -> list[RegionBox]:
        """Each region as a box to tick, with its warning."""
        notes = {region.slug: region.note for region in self.regions}
        return [RegionBox(box, notes.get(str(box.data["value"]), "")) for box in self["only_regions"]]

    @property
    def unserved(self) -> list[RegionChoice]:
        """What was chosen although nobody looks from there."""
        slugs = {region.slug for region in self.cleaned_data.get("only_regions", [])}
        return [region for region in self.regions if region.slug in slugs and region.note]

    def clean(self) -> dict[str, Any]:
        """A quorum no number of regions can reach would keep the last status for ever."""
        cleaned = super().clean() or {}
        number = len(cleaned.get("only_regions") or self.regions)
        quorum = cleaned.get("quorum")
        if quorum is not None and number and quorum > number:
            sentence = ngettext(
                "Only %(number)s region looks at it: enter at most that.",
                "Only %(number)s regions look at it: enter at most that.",
                number,
            )
            self.add_error("quorum", sentence % {"number": number})
        return cleaned


# --- The condition editor -------------------------------------------------------------------------------------

CONDITION_FIELDS: list[dict[str, Any]] = [
    {"value": "status", "label": pgettext_lazy("of an HTTP answer", "Status"), "numeric": True},
    {"value": "response_time_ms", "label": gettext_lazy("Response time"), "numeric": True, "unit": "ms"},
    {
        "value": "certificate_days",
        "label": gettext_lazy("Certificate days left"),
        "numeric": True,
        "unit": pgettext_lazy("unit", "d"),
    },
    {"value": "body", "label": gettext_lazy("Body")},
    {"value": "header", "label": gettext_lazy("Header"), "takes_name": True, "name_hint": "content-type"},
    {"value": "json", "label": gettext_lazy("JSON value"), "takes_name": True, "name_hint": "data[0].id"},
]
CONDITION_OPERATORS: list[tuple[str, Any]] = [
    *((sign, sign) for sign in ("==", "!=", "<", "<=", ">", ">=")),
    *OPERATOR_LABELS.items(),
]
