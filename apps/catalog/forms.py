"""Forms of providers, models and services: what a person types. What is right about it is said by the services."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import TargetKind


class TagsField(forms.CharField):
    """Words separated by commas; a list of them when clean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Tags"), required=False, help_text=_("Words separated by commas, to find and filter by."), **kwargs
        )

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value) or ""
        return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class TargetForm(forms.Form):
    """What every target has. `values()` is what its service takes."""

    kind: ClassVar[TargetKind]
    name = forms.CharField(label=_("Name"), strip=True)
    tags = TagsField()

    def values(self) -> dict[str, Any]:
        """The cleaned fields, by the services' argument names."""
        return dict(self.cleaned_data)


class ServiceForm(TargetForm):
    kind = TargetKind.SERVICE
    url = forms.CharField(
        label=_("Link"),
        required=False,
        help_text=_("Where a person finds it. What is looked at is set in its checks."),
        widget=forms.URLInput(attrs={"placeholder": "https://example.com", "autocomplete": "off"}),
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    field_order = ["environment", "name", "url", "description", "tags"]


class ModelForm(TargetForm):
    kind = TargetKind.MODEL
    field_order = ["provider", "name", "tags"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = _("Exactly as the provider's own list calls it.")
