"""Which form a target of a kind is made and edited with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog import provider_forms
from apps.catalog.forms import ModelForm, ServiceForm, TargetForm
from apps.catalog.models import Provider, Target, TargetKind
from apps.catalog.provider_forms import ProviderForm

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
        values |= provider_forms.present(target.provider)
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
