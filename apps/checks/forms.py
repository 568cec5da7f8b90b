"""The form of a check: what every check has, and what its kind declares in its config struct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.configform import ConfigForm
from apps.probes.base import ProbeKind


class CheckForm(ConfigForm):
    """How often, when it counts, and what to look at. `values()` and `config()` are what the services take."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    interval_seconds = forms.IntegerField(label=gettext_lazy("Interval"), help_text=gettext_lazy("From 1 second on."))
    timeout_seconds = forms.FloatField(
        label=gettext_lazy("Timeout"), help_text=gettext_lazy("Not longer than the interval.")
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
    affects_status = forms.BooleanField(
        label=gettext_lazy("Affects the status of the target"),
        required=False,
        help_text=gettext_lazy("Without it the check is measured and shown, and decides nothing."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Look at it on schedule"), required=False)

    units = {
        "interval_seconds": pgettext_lazy("unit", "s"),
        "timeout_seconds": pgettext_lazy("unit", "s"),
        "degraded_after_ms": "ms",
    }

    def __init__(self, kind: ProbeKind[Any], stored: Mapping[str, Any] | None, data: Any = None, **kwargs: Any) -> None:
        """`stored` is the masked config of the check that is edited; None for a new one."""
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        for name, unit in self.units.items():
            self.fields[name].unit = unit  # type: ignore[attr-defined]


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
    ("contains", gettext_lazy("contains")),
    ("not_contains", gettext_lazy("does not contain")),
    ("matches", gettext_lazy("matches")),
]
