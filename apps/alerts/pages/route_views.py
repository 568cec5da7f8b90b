"""The pages of routes: the tree, who would be told of something, and editing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.alerts.models import Route
from apps.alerts.pages.route_forms import RouteForm, WhoForm, initial_of
from apps.alerts.pages.route_rows import route_rows, siblings_of
from apps.alerts.pages.who import answer_who, offered_targets
from apps.alerts.routes.selectors import list_routes
from apps.alerts.routes.services import create_route, delete_route, move_route, update_route
from apps.alerts.routes.validation import family_of
from apps.core.forms import put_errors
from apps.core.panels import Panel, answer, draw_all


def may_administer(request: PageRequest) -> bool:
    """The tree is one for the whole installation."""
    return may(request.user, Role.ADMIN, None)


# --- The tree ---------------------------------------------------------------------------------------------


def load_routes(request: PageRequest) -> dict[str, Any]:
    return {"rows": route_rows(request.user), "may_administer": may_administer(request)}


LIST = (Panel("routes", "alerts/_routes.html", load_routes, "route,channel", hold=True),)


@signed_in
@require_safe
def route_list(request: PageRequest) -> HttpResponseBase:
    asked = "target" in request.GET
    form = WhoForm(request.GET if asked else None)
    context = {
        "panels": draw_all(request, LIST, request.path),
        "may_administer": may_administer(request),
        "form": form,
        "targets": offered_targets(request.user),
        "who": answer_who(request.user, form) if asked else None,
    }
    return render(request, "alerts/route_list.html", context, status=400 if form.errors else 200)


@signed_in
@require_safe
def route_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


def visible_route(request: PageRequest, route_id: UUID) -> Route:
    """Http404 for one that is not there, and for somebody without a role."""
    return get_object_or_404(Route.objects.visible_to(request.user).select_related("parent"), pk=route_id)


@signed_in
@require_safe
def route_page(request: PageRequest, route_id: UUID) -> HttpResponseBase:
    """A route is read where it stands: its place in the tree."""
    route = visible_route(request, route_id)
    return redirect(f"{reverse('alerts:route-list')}#route-{route.pk}")


# --- Making, editing, moving, removing --------------------------------------------------------------------


def administered(request: PageRequest, route_id: UUID) -> Route:
    """The route, for somebody who may change it."""
    route = visible_route(request, route_id)
    require(request.user, Role.ADMIN, None)
    return route


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def route_new(request: PageRequest) -> HttpResponseBase:
    """A route at the top, or inside `?inside=`."""
    require(request.user, Role.ADMIN, None)
    form = RouteForm(request.user, request.POST or None, initial={"parent": _uuid(request.GET.get("inside", ""))})
    return _answer(request, form, None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def route_edit(request: PageRequest, route_id: UUID) -> HttpResponseBase:
    route = administered(request, route_id)
    family = [one.pk for one in family_of(list(list_routes(request.user)), route)]
    form = RouteForm(request.user, request.POST or None, left_out=family, initial=initial_of(route))
    return _answer(request, form, route)


def _answer(request: PageRequest, form: RouteForm, route: Route | None) -> HttpResponseBase:
    if form.is_bound and form.is_valid():
        try:
            if route is None:
                saved, warnings = create_route(actor=request.user, **form.values())
                messages.success(request, _("%(name)s was added.") % {"name": saved.name})
            else:
                saved, warnings = update_route(actor=request.user, route=route, **form.values())
                messages.success(request, _("Saved."))
        except ValidationError as error:
            put_errors(form, error)
        else:
            return _to_the_tree(request, warnings, saved)
    context = {"form": form, "route": route, "crumbs": [(_("Routes"), reverse("alerts:route-list"))]}
    return render(request, "alerts/route_form.html", context, status=400 if form.errors else 200)


def _to_the_tree(request: PageRequest, warnings: list[str], route: Route | None = None) -> HttpResponseBase:
    for warning in warnings:
        messages.warning(request, warning)
    place = f"#route-{route.pk}" if route is not None else ""
    return redirect(f"{reverse('alerts:route-list')}{place}")


@signed_in
@require_POST
def route_move(request: PageRequest, route_id: UUID) -> HttpResponseBase:
    """One place up or down among the routes beside it; at the end nothing happens."""
    route = administered(request, route_id)
    siblings = siblings_of(list_routes(request.user), route)
    place = next((number for number, one in enumerate(siblings) if one.pk == route.pk), 0)
    wanted = place + (1 if request.POST.get("direction") == "down" else -1)
    if not 0 <= wanted < len(siblings):
        return _to_the_tree(request, [], route)
    moved, warnings = move_route(actor=request.user, route=route, parent=route.parent, position=wanted)
    return _to_the_tree(request, warnings, moved)


@signed_in
@require_POST
def route_delete(request: PageRequest, route_id: UUID) -> HttpResponseBase:
    route = administered(request, route_id)
    warnings = delete_route(actor=request.user, route=route)
    messages.success(request, _("%(name)s was deleted.") % {"name": route.name})
    return _to_the_tree(request, warnings)
