"""Settings → Prices: the price table, the prices of one model through time, and the form of one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.accounts.permissions import refusal
from apps.catalog.models import AIModel, Price
from apps.catalog.prices.links import add_price_url
from apps.catalog.prices.selectors import in_reading_order, list_prices, price_history
from apps.catalog.prices.services import create_price, delete_price, update_price
from apps.core import clock
from apps.core.forms import put_errors
from apps.dashboard.money.forms import PriceForm
from apps.dashboard.money.price_filters import narrow, read_filters, unpriced_models
from apps.probes.ai.dialect import AI_DIALECTS

# More than anybody reads; the API has them all.
MOST_SHOWN = 2_000
MOST_UNPRICED = 100


@dataclass(frozen=True)
class PriceRow:
    """A price as the pages show it. `others`: prices of the same model from other days."""

    price: Price
    holds: bool
    others: int = 0

    @property
    def owner(self) -> Any:
        """Whose price it is."""
        if self.price.provider is not None:
            return self.price.provider.target.name
        dialect = self.price.dialect
        return AI_DIALECTS.get(dialect).label if dialect in AI_DIALECTS else dialect

    @property
    def price_id(self) -> str:
        return str(self.price.pk)

    @property
    def note(self) -> str:
        """Its note; of a price that came with the portal, in the reader's language."""
        if not self.price.seeded:
            return self.price.note
        if not (self.price.input_per_million or self.price.output_per_million):
            return _("Runs on your own machine: no price a token. Set one to count what the machine costs.")
        return _("List price as of %(day)s; check it against the vendor's price page.") % {
            "day": self.price.valid_from.isoformat()
        }

    @property
    def has_begun(self) -> bool:
        return self.price.valid_from <= clock.now().date()


@dataclass(frozen=True)
class UnpricedRow:
    """A model that is watched and of which no price is known."""

    model: AIModel
    may_add: bool

    @property
    def add_url(self) -> str:
        """The form of a price, filled in with it and its provider."""
        return add_price_url(self.model.provider_id, self.model.target.name)


def _rows(prices: list[Price], today: date) -> list[PriceRow]:
    """A row for each model: the price that holds today, or the first of those to come."""
    number = Counter(_same(price) for price in prices)
    chosen: dict[tuple[Any, ...], Price] = {}
    for price in prices:  # the latest first within a model
        present = chosen.get(_same(price))
        if present is None or present.valid_from > today:
            chosen[_same(price)] = price
    return [PriceRow(price, price.valid_from <= today, number[key] - 1) for key, price in chosen.items()]


def _same(price: Price) -> tuple[Any, ...]:
    return price.provider_id, price.dialect, price.model.casefold()


@signed_in
@require_safe
def price_list(request: PageRequest) -> HttpResponseBase:
    """The price of each model as it holds today, and the models that are watched without one."""
    filters = read_filters(request.user, request.GET)
    prices = list(in_reading_order(narrow(list_prices(request.user), filters))[:MOST_SHOWN])
    unpriced = unpriced_models(request.user, filters)
    context = {
        "rows": _rows(prices, clock.now().date()),
        "unpriced": [UnpricedRow(model, _may_price(request, model)) for model in unpriced[:MOST_UNPRICED]],
        "unpriced_number": len(unpriced),
        "filters": filters,
        "filter_fields": filters.fields,
        "chips": filters.chips(request.path),
        "may_add": access_of(request.user).allows_somewhere(Role.OPERATOR),
        "as_of": clock.now(),
    }
    return render(request, "dashboard/settings/prices.html", context)


def _may_price(request: PageRequest, model: AIModel) -> bool:
    return may(request.user, Role.OPERATOR, model.target.environment_id)


def _price(request: PageRequest, price_id: UUID) -> Price:
    return get_object_or_404(list_prices(request.user), pk=price_id)


def _place(price: Price) -> UUID | None:
    """Where it belongs; None: to all environments."""
    return price.provider.target.environment_id if price.provider is not None else None


@signed_in
@require_safe
def price_page(request: PageRequest, price_id: UUID) -> HttpResponseBase:
    """What a model cost from which day on, at the same provider or dialect."""
    price = _price(request, price_id)
    today = clock.now().date()
    found = list(price_history(request.user, price)[:MOST_SHOWN])
    holding = next((one for one in found if one.valid_from <= today), None)
    context = {
        "price": price,
        "owner": PriceRow(price, holds=False).owner,
        "rows": [PriceRow(one, holds=one is holding) for one in found],
        "crumbs": [_crumb()],
        "may_edit": may(request.user, Role.OPERATOR, _place(price)),
    }
    return render(request, "dashboard/settings/price.html", context)


def _crumb() -> tuple[str, str]:
    return _("Prices"), reverse("dashboard:settings-prices")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def price_new(request: PageRequest) -> HttpResponseBase:
    """A price; `?like=<id>` begins with what stands in another one, `?provider=<id>&model=<name>` with these."""
    if not access_of(request.user).allows_somewhere(Role.OPERATOR):
        raise PermissionDenied(refusal(request.user, Role.OPERATOR))
    like = _like(request)
    initial = {"valid_from": clock.now().date(), "note": ""}
    given = {name: request.GET[name] for name in ("provider", "model") if request.GET.get(name)}
    if given:
        initial |= {"dialect": "", **given}
    form = PriceForm(request.user, like, request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        provider = form.cleaned_data["provider"]
        require(request.user, Role.OPERATOR, provider.target.environment_id if provider else None)
        try:
            price = create_price(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("The price of %(model)s was added.") % {"model": price.model})
            _tell_free(request, price)
            return redirect("dashboard:settings-price", price.pk)
    return _form(request, form, None)


def _tell_free(request: PageRequest, price: Price) -> None:
    """What costs nothing is held by no cap: somebody who only left a field at 0 should know."""
    if not (price.input_per_million or price.output_per_million):
        sentence = _("At a price of 0 looks at %(model)s count as free, and no cap stops them.")
        messages.info(request, sentence % {"model": price.model})


def _like(request: PageRequest) -> Price | None:
    try:
        return list_prices(request.user).filter(pk=UUID(request.GET.get("like", ""))).first()
    except ValueError:
        return None


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def price_edit(request: PageRequest, price_id: UUID) -> HttpResponseBase:
    price = _price(request, price_id)
    require(request.user, Role.OPERATOR, _place(price))
    form = PriceForm(request.user, price, request.POST or None)
    if form.is_bound and form.is_valid():
        provider = form.cleaned_data["provider"]
        require(request.user, Role.OPERATOR, provider.target.environment_id if provider else None)
        try:
            saved = update_price(actor=request.user, price=price, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            _tell_free(request, saved)
            return redirect("dashboard:settings-price", saved.pk)
    return _form(request, form, price)


def _form(request: PageRequest, form: PriceForm, price: Price | None) -> HttpResponseBase:
    crumbs = [_crumb()]
    if price is not None:
        crumbs.append((price.model, reverse("dashboard:settings-price", args=[price.pk])))
    context = {"form": form, "price": price, "crumbs": crumbs, "back": crumbs[-1][1]}
    return render(request, "dashboard/settings/price_form.html", context, status=400 if form.errors else 200)


@signed_in
@require_POST
def price_delete(request: PageRequest, price_id: UUID) -> HttpResponseBase:
    price = _price(request, price_id)
    require(request.user, Role.OPERATOR, _place(price))
    delete_price(actor=request.user, price=price)
    messages.success(request, _("The price of %(model)s was deleted.") % {"model": price.model})
    return redirect("dashboard:settings-prices")
