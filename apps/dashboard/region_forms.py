"""The forms of a region and of a guard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.configform import ConfigForm
from apps.probes.base import ProbeKind

# Words that stand in the place of a region in an address.
_TAKEN = ("new", "fragments")


class RegionForm(forms.Form):
    """What can be changed of a region."""

    name = forms.CharField(label=_("Name"), max_length=64)
    enabled = forms.BooleanField(
        label=_("Look from there"),
        required=False,
        initial=True,
        help_text=_("Every check that names no regions of its own is then looked at from there, too."),
    )


class NewRegionForm(RegionForm):
    """What a region is made from."""

    slug = forms.SlugField(
        label=_("Short name"),
        max_length=32,
        help_text=_("Workers are started with it, so it stays: small letters, digits and hyphens, such as seoul-1."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "seoul"}),
    )
    field_order = ("name", "slug", "enabled")

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug in _TAKEN:
            raise forms.ValidationError(_("“%(slug)s” is taken by the pages; choose another one.") % {"slug": slug})
        return slug


class GuardForm(ConfigForm):
    """A reference target of a region: what every guard has, and what its kind declares."""

    name = forms.CharField(label=_("Name"), max_length=200)
    timeout_seconds = forms.FloatField(
        label=_("Timeout"),
        initial=3,
        help_text=_("A guard answers quickly or not at all; failures wait this long for its word."),
    )
    enabled = forms.BooleanField(label=_("Ask this guard"), required=False, initial=True)

    def __init__(self, kind: ProbeKind[Any], stored: Mapping[str, Any] | None, data: Any = None, **kwargs: Any) -> None:
        """`stored` is the masked config of the guard that is edited; None for a new one."""
        super().__init__(kind.Config, stored, data, **kwargs)
        self.kind = kind
        self.fields["timeout_seconds"].unit = pgettext_lazy("unit", "s")  # type: ignore[attr-defined]
