"""The forms of a budget and of a price. What may stand in them is the services' to say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.catalog.models import Price, Provider
from apps.core import clock
from apps.probes.ai.dialect import AI_DIALECTS

_A_MILLION = pgettext_lazy("unit", "$ / 1M tokens")


class BudgetForm(forms.Form):
    monthly_cap = forms.DecimalField(
        label=_("Monthly cap"),
        required=False,
        help_text=_(
            "The most that paid looks may cost in a calendar month (UTC). Empty: as much as they cost. 0: paid looks"
            " are off."
        ),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["monthly_cap"].unit = pgettext_lazy("unit", "US dollars a month")  # type: ignore[attr-defined]


class _Owner(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.target.name} ({obj.target.environment.name})"


def _amount(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=required,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class PriceForm(forms.Form):
    """A price is a provider's, or that of all who speak a dialect."""

    provider = _Owner(
        label=_("Provider"),
        queryset=Provider.objects.none(),
        required=False,
        empty_label=_("All that speak the dialect"),
        help_text=_("The price of one provider comes before that of its dialect."),
    )
    dialect = forms.ChoiceField(label=_("Dialect"), required=False)
    model = forms.CharField(
        label=_("Model"),
        max_length=200,
        help_text=_("Its id, such as gpt-4o, or the beginning of some followed by *, such as gpt-4o-20*."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    input_per_million = _amount(_("Input"))
    output_per_million = _amount(_("Output"), _("What a model thinks before it answers is paid for as output."))
    cached_per_million = _amount(_("Cached input"), _("Empty: as much as other input."), required=False)
    valid_from = forms.DateField(
        label=_("Valid from"),
        help_text=_("A day (UTC). Looks before it keep the price they had."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("Where the price is from, and as of when.")
    )

    def __init__(self, user: User, price: Price | None, data: Any = None, **kwargs: Any) -> None:
        """`price`: the one that is edited, or that a new one begins with."""
        initial = {"valid_from": clock.now().date()} if price is None else _initial(price)
        super().__init__(data, initial={**initial, **kwargs.pop("initial", {})}, **kwargs)
        providers = Provider.objects.visible_to(user, Role.OPERATOR).present()
        owner: Any = self.fields["provider"]
        owner.queryset = providers.select_related("target__environment").order_by("target__name")
        dialects: Any = self.fields["dialect"]
        dialects.choices = [("", _("That of the provider")), *AI_DIALECTS.choices()]
        for name in ("input_per_million", "output_per_million", "cached_per_million"):
            self.fields[name].unit = _A_MILLION  # type: ignore[attr-defined]


def _initial(price: Price) -> dict[str, Any]:
    values = {name: getattr(price, name) for name in PriceForm.base_fields if name != "provider"}
    for name in ("input_per_million", "output_per_million", "cached_per_million"):
        values[name] = None if values[name] is None else f"{values[name].normalize():f}"
    return values | {"provider": price.provider_id}
