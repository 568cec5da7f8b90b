"""The guards of a region: what it looks at to know whether its own line works."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.doors import PageRequest, signed_in
from apps.catalog.models import Region
from apps.checks.forms import CONDITION_FIELDS, CONDITION_OPERATORS
from apps.checks.guards.selectors import get_guards, guard_kinds, masked_config
from apps.checks.guards.services import create_guard, delete_guard, update_guard, warnings_of
from apps.checks.models.guard import Guard
from apps.core.forms import put_errors
from apps.dashboard.region_forms import GuardForm
from apps.dashboard.region_pages import administered, regions_crumb
from apps.probes.base import PROBE_KINDS

# Small, quick and everywhere: what most guards are.
USUAL_KIND = "tcp"


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def guard_new(request: PageRequest, region_slug: str) -> HttpResponseBase:
    """A guard of `?kind=`."""
    region = administered(request, region_slug)
    kinds = guard_kinds()
    asked = request.GET.get("kind") or USUAL_KIND
    kind = next((one for one in kinds if one.name == asked), kinds[0])
    form = GuardForm(kind, None, request.POST or None, initial={"name": str(kind.label)})
    if form.is_bound and form.is_valid():
        try:
            guard = create_guard(
                actor=request.user, region=region, kind=kind.name, config=form.config(), **form.values()
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("%(name)s was added; it is asked within seconds.") % {"name": guard.name})
            return _saved(request, guard)
    return _form(request, region, form, kinds=kinds)


def _guard(request: PageRequest, region_slug: str, guard_id: UUID) -> Guard:
    region = administered(request, region_slug)
    return get_object_or_404(get_guards(request.user), region=region, pk=guard_id)


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def guard_edit(request: PageRequest, region_slug: str, guard_id: UUID) -> HttpResponseBase:
    guard = _guard(request, region_slug, guard_id)
    if guard.kind not in PROBE_KINDS:
        raise Http404
    kind = PROBE_KINDS.get(guard.kind)
    initial = {name: getattr(guard, name) for name in GuardForm.base_fields}
    initial["timeout_seconds"] = f"{guard.timeout_seconds:g}"
    form = GuardForm(kind, masked_config(guard), request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            guard = update_guard(actor=request.user, guard=guard, config=form.config(), **form.values())
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return _saved(request, guard)
    return _form(request, guard.region, form, guard=guard)


def _saved(request: PageRequest, guard: Guard) -> HttpResponseBase:
    for warning in warnings_of(guard):
        messages.warning(request, warning)
    return redirect("dashboard:settings-region", guard.region.slug)


def _form(request: PageRequest, region: Region, form: GuardForm, **context: Any) -> HttpResponseBase:
    back = reverse("dashboard:settings-region", args=[region.slug])
    context |= {"condition_fields": CONDITION_FIELDS, "condition_operators": CONDITION_OPERATORS}
    context |= {"form": form, "region": region, "crumbs": [regions_crumb(), (region.name, back)], "back": back}
    return render(request, "dashboard/settings/guard_form.html", context, status=400 if form.errors else 200)


@signed_in
@require_POST
def guard_delete(request: PageRequest, region_slug: str, guard_id: UUID) -> HttpResponseBase:
    guard = _guard(request, region_slug, guard_id)
    delete_guard(actor=request.user, guard=guard)
    messages.success(request, _("%(name)s was deleted.") % {"name": guard.name})
    return redirect("dashboard:settings-region", region_slug)
