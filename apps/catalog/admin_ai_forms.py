"""Forms of the admin about AI providers and their money; each writes through one service (see `admin_forms`)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.catalog import services
from apps.catalog.admin_forms import DetailForm, ServedForm
from apps.catalog.budgets import set_cap
from apps.catalog.models import Budget, Price, Provider
from apps.catalog.prices.services import EDITABLE, create_price, update_price
from apps.catalog.provider_fields import cap_of
from apps.catalog.provider_forms import DEFAULT_DIALECT, dialect_choices
from apps.core.configform import LinesField


class ProviderForm(DetailForm):
    dialect = forms.ChoiceField(
        label=_("dialect"),
        choices=dialect_choices,
        initial=DEFAULT_DIALECT,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    base_url = forms.CharField(
        label=_("base URL"),
        required=False,
        max_length=500,
        help_text=_("Empty: where the dialect itself is."),
        widget=UnfoldAdminTextInputWidget,
    )
    api_key = forms.CharField(
        label=_("API key"),
        required=False,
        strip=False,
        max_length=2_000,
        help_text=_("Empty: the stored key stays."),
        widget=UnfoldAdminPasswordWidget,
    )
    skip_tls = forms.BooleanField(
        label=_("do not check the certificate"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    paid_at_once = forms.IntegerField(
        label=_("paid looks at once"), required=False, initial=4, widget=UnfoldAdminIntegerFieldWidget
    )
    monthly_cap = forms.DecimalField(
        label=_("monthly cap"),
        required=False,
        help_text=_("US dollars a calendar month (UTC). Empty: no cap."),
        widget=UnfoldAdminTextInputWidget,
    )
    status_page_url = forms.CharField(
        label=_("vendor's status page"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget
    )
    status_components = LinesField(
        label=_("components of the status page"),
        required=False,
        help_text=_("One a line. Empty: the page as a whole."),
        widget=UnfoldAdminTextareaWidget,
    )

    class Meta:
        model = Provider
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exists:
            provider = self.instance
            for name in ("dialect", "base_url", "paid_at_once", "status_page_url"):
                self.initial[name] = getattr(provider, name)
            self.initial["skip_tls"] = not provider.verify_tls
            self.initial["monthly_cap"] = cap_of(provider)
            self.initial["status_components"] = "\n".join(provider.status_components)

    def details(self) -> dict[str, Any]:
        """What a provider has beside what every target has; what was left empty and has a value of its own stays."""
        given = self.values("dialect", "base_url", "api_key", "paid_at_once", "monthly_cap", "status_page_url")
        given["status_components"] = self.cleaned_data["status_components"]
        given["verify_tls"] = not self.cleaned_data["skip_tls"]
        return {
            name: value
            for name, value in given.items()
            if name not in {"dialect", "api_key", "paid_at_once"} or value not in (None, "")
        }

    def write(self) -> models.Model:
        if not self.exists:
            place = self.values("name", "environment", "tags")
            return services.create_provider(actor=self.actor, **place, **self.details())
        self.cleaned_data |= (details := self.details())
        return self.update(*details)


class BudgetForm(ServedForm):
    provider = forms.ModelChoiceField(
        label=_("provider"),
        queryset=Provider.objects.none(),
        required=False,
        empty_label=_("All providers together"),
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Budget
        fields = ["provider", "monthly_cap"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["provider"]
        field.queryset = Provider.objects.present().select_related("target").order_by("target__name")
        # Whose cap it is stays; a cap that is not wanted any more is emptied.
        field.disabled = not self.instance._state.adding

    def write(self) -> models.Model:
        return set_cap(
            actor=self.actor,
            provider=self.cleaned_data["provider"],
            monthly_cap=self.cleaned_data["monthly_cap"],
        )


class PriceForm(ServedForm):
    provider = forms.ModelChoiceField(
        label=_("provider"),
        queryset=Provider.objects.none(),
        required=False,
        empty_label=_("All that speak the dialect"),
        widget=UnfoldAdminSelectWidget,
    )
    dialect = forms.ChoiceField(
        label=_("dialect"),
        choices=lambda: [("", _("Of one provider")), *dialect_choices()],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Price
        fields = list(EDITABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["provider"]
        field.queryset = Provider.objects.present().select_related("target").order_by("target__name")

    def write(self) -> models.Model:
        if self.instance._state.adding:
            return create_price(actor=self.actor, **self.cleaned_data)
        return update_price(actor=self.actor, price=Price.objects.get(pk=self.instance.pk), **self.cleaned_data)
