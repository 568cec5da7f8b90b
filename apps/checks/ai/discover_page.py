"""The page of a provider's own list: choose models and rungs, see the price, add them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, require, signed_in
from apps.catalog.crumbs import crumbs_below, stand_in_list
from apps.catalog.discovery import discover_models
from apps.catalog.models import Provider, Target, TargetKind
from apps.catalog.prices.links import add_price_url
from apps.catalog.prices.lookup import rates_of
from apps.catalog.refusals import refusal_of
from apps.catalog.selectors import Drift, get_drift
from apps.checks.ai.adding import Added, add_models
from apps.checks.ai.adding_forms import AddModelsForm
from apps.checks.ai.climbing import list_rungs
from apps.checks.ai.ladder_prices import LadderPrice, price_ladder
from apps.checks.ai.model_sorts import ModelSort, sort_of
from apps.checks.models import Check
from apps.core import clock
from apps.core.forms import put_errors
from apps.probes.ai.usage import Rate
from apps.probes.base import PROBE_KINDS

# More lines of the bill than this help nobody before the order is placed.
MOST_LINES = 40
MOST_UNPRICED = 5


@dataclass(frozen=True)
class OfferedRow:
    """One model of the provider's list: what it is for, its rate, and what looks at it already."""

    name: str
    sort: ModelSort
    rate: Rate | None
    is_ticked: bool
    is_watched: bool
    kinds: list[Any]


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def discover(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    """What the provider's own list offers. POST asks it (`ask`), works out a price (`price`), or adds (`save`)."""
    target = _provider_target(request, target_id)
    action = request.POST.get("action", "ask") if request.method == "POST" else ""
    if action == "ask":
        return _ask(request, target)
    form = _form(target.provider, request.POST if action else None)
    if action == "price" and request.htmx:
        return render(request, "checks/ai/_ladder_price.html", _priced(request, target, form, fresh=True))
    if action == "save" and form.is_valid():
        try:
            added = add_models(
                actor=request.user,
                provider=target.provider,
                names=form.names(),
                rungs=form.chosen(),
                intervals=form.intervals(),
            )
        except ValidationError as error:
            put_errors(form, _on_fields(error))
        else:
            _tell_added(request, added)
            return redirect(target)
    wrong = action == "save"
    return render(request, "checks/ai/discover.html", _page(request, target, form), status=400 if wrong else 200)


def _provider_target(request: PageRequest, target_id: UUID) -> Target:
    """The provider, for somebody who may change it. Http404 outside the viewer's grants."""
    rows = Target.objects.visible_to(request.user).present().filter(kind=TargetKind.PROVIDER)
    target = rows.select_related("environment", "provider").filter(pk=target_id).first()
    if target is None:
        raise Http404
    require(request.user, Role.OPERATOR, target.environment_id)
    stand_in_list(request, target.kind)
    return target


def _ask(request: PageRequest, target: Target) -> HttpResponseBase:
    try:
        discover_models(actor=request.user, provider=target.provider)
    except ValidationError as error:
        context = _page(request, target, _form(target.provider), [] if target.provider.refused_at else error.messages)
        return render(request, "checks/ai/discover.html", context, status=400)
    return redirect(request.path)


def _form(provider: Provider, data: Any = None) -> AddModelsForm:
    return AddModelsForm(list_rungs(), [*provider.offered_models, *_watched(provider)], data)


def _watched(provider: Provider) -> list[str]:
    rows = Target.objects.present().filter(kind=TargetKind.MODEL, namespace=provider.pk)
    return list(rows.values_list("name", flat=True))


def _on_fields(error: ValidationError) -> ValidationError:
    """What the service says of `names` belongs to the list; of the rest, above the form."""
    found = error.message_dict
    names = found.pop("names", [])
    others = [sentence for sentences in found.values() for sentence in sentences]
    return ValidationError({**({"add": names} if names else {}), **({"__all__": others} if others else {})})


def _tell_added(request: PageRequest, added: Added) -> None:
    if added.models:
        sentence = ngettext("%(number)s model was added.", "%(number)s models were added.", added.models)
        messages.success(request, sentence % {"number": added.models})
    if added.checks:
        sentence = ngettext(
            "%(number)s new check: its first look comes in a few seconds.",
            "%(number)s new checks: their first looks come in a few seconds.",
            added.checks,
        )
        messages.success(request, sentence % {"number": added.checks})
    if not added.models and not added.checks:
        messages.info(request, _("All of this is looked at already, so nothing was added."))


# --- What the page shows --------------------------------------------------------------------------------------


def _page(request: HttpRequest, target: Target, form: AddModelsForm, wrong: Sequence[str] = ()) -> dict[str, Any]:
    """`wrong`: why it could not even be asked."""
    provider = target.provider
    drift = get_drift(provider)
    return {
        "provider": provider,
        "wrong": wrong,
        "refusal": refusal_of(provider),
        "drift": drift,
        "offered": _rows(provider, drift, form),
        "form": form,
        "crumbs": crumbs_below(target),
        **_priced(request, target, form),
    }


def _rows(provider: Provider, drift: Drift, form: AddModelsForm) -> list[OfferedRow]:
    rates = rates_of([(provider, name) for name in drift.offered], clock.now().date())
    watched = {name.lower() for name in _watched(provider)}
    kinds = _kinds(provider)
    return [
        OfferedRow(
            name=name,
            sort=sort_of(name),
            rate=rates.get((provider.pk, name)),
            is_ticked=name in form.ticked,
            is_watched=name.lower() in watched,
            kinds=kinds.get(name.lower(), []),
        )
        for name in drift.offered
    ]


def _kinds(provider: Provider) -> dict[str, list[Any]]:
    """By model (lower case) the labels of what looks at it, from the lowest rung up."""
    rows = Check.objects.present().filter(target__namespace=provider.pk, target__kind=TargetKind.MODEL)
    found: dict[str, dict[str, Any]] = {}
    for name, kind in rows.values_list("target__name", "kind"):
        if kind in PROBE_KINDS:
            found.setdefault(name.lower(), {})[kind] = PROBE_KINDS.get(kind)
    return {
        name: [kind.label for kind in sorted(kinds.values(), key=lambda kind: (kind.rung or 0, kind.name))]
        for name, kinds in found.items()
    }


def _priced(request: HttpRequest, target: Target, form: AddModelsForm, *, fresh: bool = False) -> dict[str, Any]:
    price: LadderPrice = price_ladder(
        viewer=request.user,
        provider=target.provider,
        names=form.names(),
        rungs=form.rungs,
        chosen=form.chosen(),
        intervals=form.intervals(),
    )
    return {
        "target": target,
        "price": price,
        "unpriced": [(name, add_price_url(target.pk, name)) for name in price.unpriced[:MOST_UNPRICED]],
        "more_unpriced": max(len(price.unpriced) - MOST_UNPRICED, 0),
        "rung_lines": [{"row": row, "line": line} for row, line in zip(form.rows, price.rungs, strict=True)],
        "lines": price.models[:MOST_LINES],
        "more_lines": max(len(price.models) - MOST_LINES, 0),
        # A refresh brings the rungs' own numbers along, which stand elsewhere on the page.
        "fresh": fresh,
    }
