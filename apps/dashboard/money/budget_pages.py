"""Settings → Budgets: every budget with what is spent of it, and the cap of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.catalog.budgets import set_cap
from apps.catalog.models import Provider
from apps.catalog.selectors import list_providers
from apps.checks.spending.selectors import BudgetState, list_budgets
from apps.checks.spending.words import warnings_of, word_of
from apps.core import clock
from apps.core.forms import put_errors
from apps.dashboard.money.forms import BudgetForm

_TONES = {"ok": "ok", "warned": "warn", "spent": "bad"}
_SHAPES = {"ok": "operational", "warned": "degraded", "spent": "outage"}


@dataclass(frozen=True)
class BudgetRow:
    """A budget as the page shows it."""

    budget: BudgetState
    url: str
    may_edit: bool

    @property
    def word(self) -> Any:
        return word_of(self.budget)

    @property
    def is_off(self) -> bool:
        """Somebody wants no paid looks at all: nothing went wrong, and nothing is nearly spent."""
        return self.budget.monthly_cap == 0

    @property
    def tone(self) -> str:
        return "" if self.is_off else _TONES.get(self.budget.state, "")

    @property
    def shape(self) -> str:
        shape = None if self.is_off else _SHAPES.get(self.budget.state)
        return f"components/shapes/{shape}.html" if shape else ""

    @property
    def aside_share(self) -> float | None:
        """What is spent or set aside, as a share of the cap."""
        cap = self.budget.monthly_cap
        return float((self.budget.spent + self.budget.reserved) / cap) if cap else self.budget.share


def _row(request: PageRequest, budget: BudgetState) -> BudgetRow:
    provider = budget.provider
    place = provider.target.environment_id if provider else None
    url = reverse("dashboard:settings-budget", args=[provider.pk]) if provider else reverse("dashboard:settings-total")
    return BudgetRow(budget, url, may(request.user, Role.OPERATOR, place))


@signed_in
@require_safe
def budget_list(request: PageRequest) -> HttpResponseBase:
    known = list_budgets(request.user) if access_of(request.user).allows_somewhere(Role.VIEWER) else []
    rows = [_row(request, budget) for budget in known]
    return render(request, "dashboard/settings/budgets.html", {"rows": rows, "as_of": clock.now()})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def budget_total(request: PageRequest) -> HttpResponseBase:
    """The cap of all providers together: everybody's, so operators of all environments set it."""
    require(request.user, Role.OPERATOR, None)
    return _edit(request, None)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def budget_edit(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    provider: Provider | None = list_providers(request.user).filter(pk=target_id).first()
    if provider is None:
        raise Http404
    require(request.user, Role.OPERATOR, provider.target.environment_id)
    return _edit(request, provider)


def _edit(request: PageRequest, provider: Provider | None) -> HttpResponseBase:
    budget = _budget_of(request, provider)
    cap = budget.monthly_cap
    form = BudgetForm(request.POST or None, initial={"monthly_cap": None if cap is None else f"{cap.normalize():f}"})
    if form.is_bound and form.is_valid():
        try:
            set_cap(actor=request.user, provider=provider, monthly_cap=form.cleaned_data["monthly_cap"])
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            for warning in warnings_of(_budget_of(request, provider)):
                messages.warning(request, warning)
            return redirect("dashboard:settings-budgets")
    back = reverse("dashboard:settings-budgets")
    context = {"form": form, "row": _row(request, budget), "crumbs": [(_("Budgets"), back)], "back": back}
    return render(request, "dashboard/settings/budget_form.html", context, status=400 if form.errors else 200)


def _budget_of(request: PageRequest, provider: Provider | None) -> BudgetState:
    return list_budgets(request.user, [provider.pk])[-1] if provider else list_budgets(request.user, [])[0]
