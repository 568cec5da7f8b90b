"""A length of time as a person enters it: a number and a unit. What comes out is seconds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

_SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_UNITS = [
    ("second", gettext_lazy("seconds")),
    ("minute", gettext_lazy("minutes")),
    ("hour", gettext_lazy("hours")),
    ("day", gettext_lazy("days")),
]


def in_words(seconds: float) -> str:
    """ "1 day", "90 minutes": in the largest unit that divides it."""
    number, unit = _split(seconds)
    texts = {
        "second": ngettext("%(number)s second", "%(number)s seconds", round(number)),
        "minute": ngettext("%(number)s minute", "%(number)s minutes", round(number)),
        "hour": ngettext("%(number)s hour", "%(number)s hours", round(number)),
        "day": ngettext("%(number)s day", "%(number)s days", round(number)),
    }
    return texts[unit] % {"number": _plain(number)}


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _split(seconds: float) -> tuple[float, str]:
    for unit, length in _SECONDS.items():
        if seconds and seconds % length == 0:
            return seconds / length, unit
    return seconds, "second"


class DurationInput(forms.MultiWidget):
    """A number, and beside it its unit."""

    # The unit an empty field begins with.
    empty_unit = "hour"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        number = forms.NumberInput({"min": 0, "step": "any", "autocomplete": "off", "aria-label": _("Number")})
        unit = forms.Select({"aria-label": _("Unit")}, choices=_UNITS)
        super().__init__({"": number, "unit": unit}, attrs)

    def decompress(self, value: Any) -> list[Any]:
        if value in (None, ""):
            return [None, self.empty_unit]
        number, unit = _split(float(value))
        return [_plain(number), unit]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Without a unit (a script that knows of none) the number is seconds."""
        number, unit = super().value_from_datadict(data, files, name)
        return [number, unit or "second"]


class DurationField(forms.MultiValueField):
    """Seconds from `minimum` to `maximum`; a whole number where it is one."""

    def __init__(
        self, *, minimum: float | None = None, maximum: float | None = None, empty_unit: str = "hour", **kwargs: Any
    ) -> None:
        parts = (forms.FloatField(required=False), forms.ChoiceField(choices=_UNITS))
        super().__init__(fields=parts, widget=DurationInput, require_all_fields=False, **kwargs)
        self.minimum, self.maximum = minimum, maximum
        self.widget.empty_unit = empty_unit

    def compress(self, data_list: Any) -> float | int | None:
        if not data_list or data_list[0] is None:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        seconds = float(data_list[0]) * _SECONDS[data_list[1]]
        low, high = self.minimum or 0, self.maximum
        if seconds < low or (high is not None and seconds > high):
            limits = {"low": in_words(low), "high": in_words(high or 0)}
            raise forms.ValidationError(_("Enter a time from %(low)s to %(high)s.") % limits)
        # 0.1 hours are 360 seconds, whatever the arithmetic of a computer says.
        nearest = round(seconds)
        return nearest if abs(seconds - nearest) < 1e-6 else seconds
