"""Forms of providers, models and services: what a person types. What is right about it is said by the services."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Provider, Target, TargetKind


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


class ProviderForm(TargetForm):
    kind = TargetKind.PROVIDER
    base_url = forms.CharField(
        label=_("Base URL"),
        required=False,
        help_text=_("Where its API begins, such as https://api.example.com/v1."),
        widget=forms.URLInput(attrs={"placeholder": "https://api.example.com/v1", "autocomplete": "off"}),
    )
    api_key = forms.CharField(
        label=_("API key"),
        required=False,
        strip=False,
        help_text=_("Kept sealed and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["environment", "name", "base_url", "api_key", "clear_api_key", "tags"]


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


FORMS: dict[str, type[TargetForm]] = {form.kind.value: form for form in (ProviderForm, ModelForm, ServiceForm)}


def for_creating(kind: str, places: Any, *args: Any, **kwargs: Any) -> TargetForm:
    """The form for a new target of `kind`. `places`: the environments (for a model: the providers) it may go to."""
    form = FORMS[kind](*args, **kwargs)
    if kind == TargetKind.MODEL:
        field: forms.Field = ProviderField(queryset=places, label=_("Provider"), empty_label=None)
        form.fields = {"provider": field, **form.fields}
    else:
        field = forms.ModelChoiceField(
            queryset=places,
            label=_("Environment"),
            empty_label=None,
            initial=kwargs.get("initial", {}).get("environment"),
        )
        form.fields = {"environment": field, **form.fields}
    return form


class ProviderField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Provider) -> str:
        return f"{obj.target.name} · {obj.target.environment.name}"


def for_editing(target: Target, siblings: Any, data: Any = None) -> TargetForm:
    """The form for a present target. `siblings`: what it may depend on. A stored key is never part of the form."""
    form = FORMS[target.kind](data, initial=_present(target))
    key = form.fields.get("api_key")
    if key is not None and target.provider.sealed_api_key:
        key.widget.attrs["placeholder"] = _("unchanged")
        form.fields["clear_api_key"] = forms.BooleanField(label=_("Remove the stored key"), required=False)
    form.fields["depends_on"] = forms.ModelMultipleChoiceField(
        queryset=siblings,
        required=False,
        label=_("Depends on"),
        help_text=_("What must work for this to work. Hold Ctrl to choose several."),
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    form.order_fields(form.field_order)
    return form


def _present(target: Target) -> dict[str, Any]:
    values: dict[str, Any] = {"name": target.name, "tags": target.tags, "depends_on": list(target.depends_on.all())}
    if target.kind == TargetKind.PROVIDER:
        values["base_url"] = target.provider.base_url
    if target.kind == TargetKind.SERVICE:
        values |= {"url": target.service.url, "description": target.service.description}
    return values


def edited(form: TargetForm) -> dict[str, Any]:
    """What `update_target` takes: an empty key means unchanged, a ticked box removes it."""
    values = form.values()
    clear = values.pop("clear_api_key", False)
    if "api_key" in values and not values["api_key"]:
        if clear:
            values["api_key"] = ""
        else:
            del values["api_key"]
    return values
