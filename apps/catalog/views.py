"""Making, editing, switching and removing what is watched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, require, require_somewhere, signed_in
from apps.catalog import services
from apps.catalog.crumbs import crumbs_below, list_of, stand_in_list
from apps.catalog.discovery import discover_models
from apps.catalog.models import Environment, Provider, Target, TargetKind
from apps.catalog.scope import scope_of
from apps.catalog.target_forms import edited, for_creating, for_editing
from apps.core.forms import put_errors

# --- Making ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Making:
    """How a target of one kind is made: the words of its page, where it may go, and the service."""

    title: Any
    lead: Any
    places: Callable[[PageRequest], models.QuerySet[Any]]
    create: Callable[..., Any]
    template: str = "catalog/new.html"


def _environments(request: PageRequest) -> models.QuerySet[Environment]:
    return Environment.objects.visible_to(request.user, Role.OPERATOR)


def _providers(request: PageRequest) -> models.QuerySet[Provider]:
    rows = Provider.objects.visible_to(request.user, Role.OPERATOR).present()
    return rows.select_related("target", "target__environment").order_by("target__name")


MAKING: dict[str, Making] = {
    TargetKind.PROVIDER: Making(
        gettext_lazy("Add a provider"),
        gettext_lazy("A place that offers AI models. Next it is asked which, and you choose what to watch."),
        _environments,
        services.create_provider,
        "catalog/provider.html",
    ),
    TargetKind.MODEL: Making(
        gettext_lazy("Add a model"),
        gettext_lazy("One model of a provider, watched on its own."),
        _providers,
        services.create_model,
    ),
    TargetKind.SERVICE: Making(
        gettext_lazy("Add a service"),
        gettext_lazy("Anything reached over the network. How it is looked at is set in its checks, next."),
        _environments,
        services.create_service,
    ),
}


@signed_in
@sensitive_post_parameters("api_key")
@require_http_methods(["GET", "HEAD", "POST"])
def target_new(request: PageRequest, kind: str) -> HttpResponseBase:
    """A new target; then on to its page, where its first check is one click away."""
    require_somewhere(request.user, Role.OPERATOR)
    making = MAKING[kind]
    places = making.places(request)
    form = for_creating(kind, places, request.POST or None, initial=_initial(request, kind))
    if form.is_bound and form.is_valid():
        try:
            made = making.create(actor=request.user, **form.values())
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("%(name)s was added.") % {"name": made.target.name})
            return redirect(_discovered(request, made) if request.POST.get("action") == "discover" else made.target)
    context = {
        "form": form,
        "making": making,
        "has_places": places.exists(),
        "crumbs": [list_of(kind)],
        "back": list_of(kind)[1],
    }
    return render(request, making.template, context, status=400 if form.errors else 200)


def _discovered(request: PageRequest, provider: Provider) -> str:
    """Ask the new provider at once; the page this leads to shows its list, or why there is none."""
    # Why there is none stays with the provider, and the page says it.
    with suppress(ValidationError):
        discover_models(actor=request.user, provider=provider)
    return reverse("checks:discover", args=[provider.pk])


def _initial(request: PageRequest, kind: str) -> dict[str, Any]:
    """Where the viewer comes from: the environment in force, or the provider in the URL."""
    if kind == TargetKind.MODEL:
        return {"provider": request.GET.get("provider", "")}
    scope = scope_of(request)
    chosen = scope.environment or next((one for one in scope.environments if one.slug == "prod"), None)
    return {"environment": chosen.pk if chosen else None}


# --- Editing --------------------------------------------------------------------------------------------------


def _operated(request: PageRequest, target_id: UUID, *kinds: TargetKind) -> Target:
    """The target, for somebody who may change it. Http404 outside the viewer's grants."""
    rows = Target.objects.visible_to(request.user).present()
    target = rows.select_related("environment", "provider", "service", "model").filter(pk=target_id).first()
    if target is None or (kinds and target.kind not in kinds):
        raise Http404
    require(request.user, Role.OPERATOR, target.environment_id)
    stand_in_list(request, target.kind)
    return target


@signed_in
@sensitive_post_parameters("api_key")
@require_http_methods(["GET", "HEAD", "POST"])
def target_edit(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    target = _operated(request, target_id)
    form = for_editing(target, _siblings(target), request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            services.update_target(actor=request.user, target=target, **edited(form))
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(target)
    context = {"form": form, "target": target, "crumbs": crumbs_below(target), "back": target.get_absolute_url()}
    template = "catalog/provider.html" if target.kind == TargetKind.PROVIDER else "catalog/edit.html"
    return render(request, template, context, status=400 if form.errors else 200)


def _siblings(target: Target) -> models.QuerySet[Target]:
    """What the target may depend on: others of its environment."""
    rows = Target.objects.present().filter(environment_id=target.environment_id).exclude(pk=target.pk)
    return rows.order_by("name", "pk")


@signed_in
@require_POST
def target_switch(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    """Stop looking, or look again."""
    target = _operated(request, target_id)
    enabled = request.POST.get("enabled") == "yes"
    services.update_target(actor=request.user, target=target, enabled=enabled)
    sentence = _("%(name)s is watched again.") if enabled else _("%(name)s is paused: nothing looks at it.")
    messages.success(request, sentence % {"name": target.name})
    return redirect(target)


@signed_in
@require_POST
def target_delete(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    target = _operated(request, target_id)
    services.delete_target(actor=request.user, target=target)
    messages.success(request, _("%(name)s was deleted.") % {"name": target.name})
    return redirect(list_of(target.kind)[1])
