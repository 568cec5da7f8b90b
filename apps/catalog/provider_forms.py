"""The form of a provider: how it is spoken to, where, with which key, what its vendor says and what it may cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.catalog.fields import check_api_key
from apps.catalog.forms import TargetForm
from apps.catalog.models import Provider, TargetKind
from apps.catalog.provider_fields import cap_of, default_address
from apps.core.configform import LinesField
from apps.probes.ai.dialect import AI_DIALECTS

DEFAULT_DIALECT = "openai_compatible"


def dialect_choices() -> list[tuple[str, Any]]:
    """The one most servers speak first, then the others by name."""
    choices = AI_DIALECTS.choices()
    return sorted(choices, key=lambda choice: (choice[0] != DEFAULT_DIALECT, str(choice[1]).casefold()))


def address_help(dialect: str) -> str:
    """What to enter as the base URL, for one dialect."""
    address = default_address(dialect)
    if address:
        return _("Empty: %(address)s. Enter another one if it is reached through a gateway or runs elsewhere.") % {
            "address": address
        }
    return _("Where its API begins, such as http://host:8000/v1. A /v1 at the end is added when no path is given.")


class DialectSelect(forms.Select):
    """Each choice carries its own address and what to enter instead, so that the base URL can follow it in the page."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"] |= {"data-address": default_address(str(value)), "data-help": address_help(str(value))}
        return option


class ProviderForm(TargetForm):
    kind = TargetKind.PROVIDER
    dialect = forms.ChoiceField(
        label=gettext_lazy("Dialect"),
        choices=dialect_choices,
        required=False,
        initial=DEFAULT_DIALECT,
        help_text=gettext_lazy(
            "How it is spoken to. OpenAI-compatible suits vLLM, llama.cpp, LiteLLM, OpenRouter and most others."
        ),
        widget=DialectSelect({"data-address-of": "id_base_url"}),
    )
    base_url = forms.CharField(
        label=gettext_lazy("Base URL"),
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://api.example.com/v1", "autocomplete": "off"}),
    )
    api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Kept sealed, never shown again, and sent to this address only."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    status_page_url = forms.CharField(
        label=gettext_lazy("Vendor's status page"),
        required=False,
        help_text=gettext_lazy("Shown beside what we measure ourselves. It never changes our own verdict."),
        widget=forms.URLInput(attrs={"placeholder": "https://status.example.com", "autocomplete": "off"}),
    )
    status_components = LinesField(
        label=gettext_lazy("Components of that page"),
        required=False,
        help_text=gettext_lazy("One a line, as the page names them. Empty: the page as a whole."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    monthly_cap = forms.DecimalField(
        label=gettext_lazy("Monthly cap"),
        required=False,
        localize=False,
        help_text=gettext_lazy(
            "The most that paid looks may cost a calendar month (UTC). At the cap they stop; free ones go on. "
            "Empty: no cap. 0: paid looks are off."
        ),
        widget=forms.NumberInput(attrs={"step": "0.01", "min": "0", "inputmode": "decimal"}),
    )
    paid_at_once = forms.IntegerField(
        label=gettext_lazy("Paid looks at once"),
        required=False,
        initial=4,
        help_text=gettext_lazy("All its models together."),
    )
    skip_tls = forms.BooleanField(
        label=gettext_lazy("Do not check the certificate"),
        required=False,
        help_text=gettext_lazy("Only for a server of your own, with a certificate nobody vouches for."),
    )
    basic = ("environment", "name", "dialect")
    keys = ("api_key", "clear_api_key")
    later = ("monthly_cap", "status_page_url")
    more = ("status_components", "paid_at_once", "skip_tls", "tags", "depends_on")
    field_order = [*basic, "base_url", *keys, *later, *more]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["monthly_cap"].unit = pgettext_lazy("unit", "US$")  # type: ignore[attr-defined]
        address = self.fields["base_url"]
        address.help_text = address_help(self.chosen_dialect)
        address.required = not default_address(self.chosen_dialect)
        address.error_messages["required"] = _("Enter where its API begins: this dialect has no address of its own.")
        # The browser's own word for what is missing would be another one.
        self.use_required_attribute = False

    @property
    def chosen_dialect(self) -> str:
        """What is chosen in the form as it is shown."""
        given = self.data.get("dialect") if self.is_bound else None
        return str(given or self.initial.get("dialect") or DEFAULT_DIALECT)

    def clean_api_key(self) -> str:
        """The service judges it too; here it is said together with what else is wrong."""
        key: str = self.cleaned_data["api_key"]
        check_api_key(key)
        return key

    def values(self) -> dict[str, Any]:
        values = super().values()
        values["verify_tls"] = not values.pop("skip_tls")
        return {
            name: value
            for name, value in values.items()
            if name not in {"dialect", "paid_at_once"} or value not in (None, "")
        }

    def rows(self, names: tuple[str, ...]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    @property
    def basic_rows(self) -> list[forms.BoundField]:
        return self.rows(self.basic)

    @property
    def key_rows(self) -> list[forms.BoundField]:
        return self.rows(self.keys)

    @property
    def later_rows(self) -> list[forms.BoundField]:
        return self.rows(self.later)

    @property
    def more_rows(self) -> list[forms.BoundField]:
        """What most leave as it is."""
        return self.rows(self.more)

    @property
    def shows_more(self) -> bool:
        """Whether something stands there that its reader should see."""
        return any(name in self.errors for name in self.more)


def present(provider: Provider) -> dict[str, Any]:
    """The stored values, as the form is filled with. Never the key."""
    return {
        "dialect": provider.dialect,
        "base_url": provider.base_url,
        "status_page_url": provider.status_page_url,
        "status_components": "\n".join(provider.status_components),
        "monthly_cap": _short(cap_of(provider)),
        "paid_at_once": provider.paid_at_once,
        "skip_tls": not provider.verify_tls,
    }


def _short(cap: Any) -> str:
    return "" if cap is None else f"{cap.normalize():f}"
