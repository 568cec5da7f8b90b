"""The form that chooses models of a provider, rungs of the cost ladder and how often each is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.checks.ai.climbing import Rung
from apps.core.configform import LinesField

# Seconds somebody may choose between looks; any other is set in the check itself.
INTERVALS = (30, 60, 120, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def every(seconds: int) -> str:
    """How often, in words: the largest unit that holds it without a rest."""
    if seconds % _DAY == 0:
        days = seconds // _DAY
        return ngettext("every day", "every %(number)s days", days) % {"number": days}
    if seconds % _HOUR == 0:
        hours = seconds // _HOUR
        return ngettext("every hour", "every %(number)s hours", hours) % {"number": hours}
    if seconds % _MINUTE == 0:
        minutes = seconds // _MINUTE
        return ngettext("every minute", "every %(number)s minutes", minutes) % {"number": minutes}
    return ngettext("every second", "every %(number)s seconds", seconds) % {"number": seconds}


@dataclass(frozen=True)
class RungRow:
    """One rung as it stands in the form: its tick, and how often."""

    rung: Rung
    tick: forms.BoundField
    interval: forms.BoundField


class AddModelsForm(forms.Form):
    """`names()`, `chosen()` and `intervals()` are what `adding.add_models` and the price take.

    They read whatever is valid, so that a price can be shown before everything is.
    """

    add = forms.MultipleChoiceField(required=False)
    more = LinesField(
        label=gettext_lazy("Models that are not in its list"),
        required=False,
        help_text=gettext_lazy("One a line, as the provider calls them; on Azure, the names of deployments."),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )

    def __init__(self, rungs: Sequence[Rung], offered: Sequence[str], data: Any = None) -> None:
        super().__init__(data)
        self.rungs = rungs
        self.fields["add"].choices = [(name, name) for name in offered]  # type: ignore[attr-defined]
        self.fields["add"].error_messages["invalid_choice"] = _("The provider does not offer %(value)s.")
        for rung in rungs:
            self.fields[f"rung_{rung.number}"] = forms.BooleanField(
                label=str(rung.title), required=False, initial=rung.is_given
            )
            self.fields[f"interval_{rung.number}"] = forms.TypedChoiceField(
                label=_("How often: %(rung)s") % {"rung": rung.title},
                choices=[(seconds, every(seconds)) for seconds in _offered_intervals(rung)],
                coerce=int,
                required=False,
                initial=rung.default_interval_seconds,
                widget=forms.Select({"class": "select select-inline"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.names():
            self.add_error("add", _("Tick at least one model, or enter a name below the list."))
        if not self.chosen():
            self.add_error(None, _("Choose at least one rung: a model nobody looks at stays unknown."))
        return cleaned

    @property
    def rows(self) -> list[RungRow]:
        return [RungRow(rung, self[f"rung_{rung.number}"], self[f"interval_{rung.number}"]) for rung in self.rungs]

    def names(self) -> list[str]:
        """What is ticked and what was typed, each once."""
        if not self.is_bound:
            return []
        self._read()
        return list(dict.fromkeys([*self.cleaned_data.get("add", []), *self.cleaned_data.get("more", [])]))

    def chosen(self) -> list[int]:
        """Numbers of the rungs that are ticked."""
        if not self.is_bound:
            return [rung.number for rung in self.rungs if rung.is_given]
        self._read()
        return [rung.number for rung in self.rungs if self.cleaned_data.get(f"rung_{rung.number}")]

    def intervals(self) -> dict[int, int]:
        """Seconds between looks, by rung."""
        if self.is_bound:
            self._read()
        given = self.cleaned_data if self.is_bound else {}
        return {
            rung.number: given.get(f"interval_{rung.number}") or rung.default_interval_seconds for rung in self.rungs
        }

    @property
    def ticked(self) -> set[str]:
        """Names whose box is ticked, whether or not they are offered."""
        return set(self.fields["add"].widget.value_from_datadict(self.data, {}, "add")) if self.is_bound else set()

    def _read(self) -> None:
        if not hasattr(self, "cleaned_data"):
            self.full_clean()


def _offered_intervals(rung: Rung) -> list[int]:
    return sorted({*INTERVALS, rung.default_interval_seconds})
