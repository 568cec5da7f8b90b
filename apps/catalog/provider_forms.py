"""The form of a provider: how it is spoken to, where, with which key, what its vendor says and what it may cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.catalog import signals
from apps.catalog.dialect_hints import hints_of
from apps.catalog.fields import check_api_key
from apps.catalog.forms import TargetForm
from apps.catalog.models import Provider, TargetKind
from apps.catalog.provider_fields import cap_of
from apps.core.configform import LinesField
from apps.probes.ai.dialect import AI_DIALECTS

DEFAULT_DIALECT = "openai_compatible"


def dialect_choices() -> list[tuple[str, Any]]:
    """The one most servers speak first, then the others by name."""
    choices = AI_DIALECTS.choices()
    return sorted(choices, key=lambda choice: (choice[0] != DEFAULT_DIALECT, str(choice[1]).casefold()))


class DialectSelect(forms.Select):
    """Each choice carries what the other fields say of it, so that they can follow it in the page."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"] |= hints_of(str(value)).data
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
        widget=DialectSelect({"data-dialects": ""}),
    )
    base_url = forms.CharField(
        label=gettext_lazy("Base URL"),
        required=False,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    status_page_url = forms.CharField(
        label=gettext_lazy("Vendor's status page"),
        required=False,
        help_text=gettext_lazy("Shown beside what we measure ourselves. It never changes our own verdict."),
        widget=forms.URLInput(attrs={"placeholder": "https://status.example.com", "autocomplete": "off"}),
    )
    page_components = forms.MultipleChoiceField(
        label=gettext_lazy("Components of that page it stands on"),
        required=False,
        help_text=gettext_lazy("As the page was last read. None: the page as a whole."),
        widget=forms.CheckboxSelectMultiple,
    )
    status_components = LinesField(
        label=gettext_lazy("Components of that page"),
        required=False,
        help_text=gettext_lazy(
            "One a line, as the page names them. Empty: the page as a whole. Once it was read they can be ticked."
        ),
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
    more = ("page_components", "status_components", "paid_at_once", "skip_tls", "tags", "depends_on")
    field_order = [*basic, "base_url", *keys, *later, *more]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["monthly_cap"].unit = pgettext_lazy("unit", "US$")  # type: ignore[attr-defined]
        hints = hints_of(self.chosen_dialect)
        address = self.fields["base_url"]
        address.help_text = hints.address_help
        address.widget.attrs["placeholder"] = hints.example
        address.required = not hints.address
        self.fields["api_key"].help_text = hints.key_help
        self.fields["api_key"].is_expected = hints.needs_key  # type: ignore[attr-defined]
        if hints.status_page:
            self.fields["status_page_url"].widget.attrs["placeholder"] = hints.status_page
        self._offer_components()
        address.error_messages["required"] = _("Enter where its API begins: this dialect has no address of its own.")
        # The browser's own word for what is missing would be another one.
        self.use_required_attribute = False

    def _offer_components(self) -> None:
        """What the vendor's page names is ticked; what it does not is typed, and stays what was typed."""
        offered = list(self.initial.pop("offered_components", ()))
        if not offered:
            del self.fields["page_components"]
            return
        known = {name.casefold(): name for name in offered}
        wanted = self.initial.get("status_components", "").splitlines()
        field: Any = self.fields["page_components"]
        field.choices = [(name, name) for name in offered]
        self.initial["page_components"] = [known[name.casefold()] for name in wanted if name.casefold() in known]
        self.initial["status_components"] = "\n".join(name for name in wanted if name.casefold() not in known)
        others = self.fields["status_components"]
        others.label = _("Others of that page")
        others.help_text = _("One a line, as the page names them: a group for all in it, or what is not in the list.")

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
        values["status_components"] = [*values.pop("page_components", []), *values["status_components"]]
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
    answers = signals.components_wanted.send(sender=Provider, provider=provider)
    return {
        "offered_components": [name for _receiver, names in answers for name in names or ()],
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
