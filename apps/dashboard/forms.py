"""The one field of the first-run page, and what people say about an incident."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class FirstCheckForm(forms.Form):
    """One URL. What is wrong with it is said by the service that makes the check."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com", "autocomplete": "url"}),
    )


class NoteForm(forms.Form):
    """A line for an incident's timeline."""

    text = forms.CharField(
        label=_("Note"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if "\x00" in text:
            raise forms.ValidationError(_("The text holds a NUL character; leave it out."))
        return text
