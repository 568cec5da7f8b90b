"""Settings → Regions: every region with what its workers say, and the page of one region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.catalog.models import Region
from apps.checks.guards.selectors import get_guards, sentence_of
from apps.checks.models.guard import Guard
from apps.checks.regions.selectors import RegionState, RegionView, get_regions
from apps.checks.regions.services import RegionInUse, create_region, delete_region, update_region
from apps.core import clock
from apps.core.forms import put_errors
from apps.core.panels import Panel, answer, draw_all
from apps.dashboard.probing import is_late, is_skewed
from apps.dashboard.region_forms import NewRegionForm, RegionForm
from apps.dashboard.region_looks import Look, guard_look, line_look, state_look

REFRESH_SECONDS = 10


@dataclass(frozen=True)
class RegionRow:
    """A region as the pages show it."""

    region: RegionView
    look: Look
    line: Look

    @property
    def is_late(self) -> bool:
        return is_late(self.region)

    @property
    def is_skewed(self) -> bool:
        return is_skewed(self.region.skew_seconds)

    @property
    def places(self) -> int | None:
        """In flight at most."""
        free = self.region.free_places
        return None if free is None else (self.region.in_flight or 0) + free

    @property
    def other_version(self) -> bool:
        """Its workers run another version than this page."""
        return self.region.version not in (None, settings.VERSION)

    @property
    def is_unserved(self) -> bool:
        """In use, and nobody looks from there."""
        return self.region.state in (RegionState.NEVER_HEARD, RegionState.SILENT)


def row_of(region: RegionView) -> RegionRow:
    return RegionRow(region, state_look(region), line_look(region))


def start_command(slug: str) -> str:
    """How a worker for this region is started, for somebody to copy; the two values are theirs to fill in."""
    return (
        "REDIS_URL='rediss://…' PORTAL_SECRET_KEY_FILE=secret.key \\\n"
        f"  .venv/bin/python manage.py portal worker --region {slug}"
    )


def may_administer(request: PageRequest) -> bool:
    """Regions belong to the whole installation."""
    return may(request.user, Role.ADMIN, None)


# --- The list -------------------------------------------------------------------------------------------------


def load_regions(request: PageRequest) -> dict[str, Any]:
    """Every region, or none for somebody without a role."""
    known = get_regions() if access_of(request.user).allows_somewhere(Role.VIEWER) else []
    return {
        "rows": [row_of(region) for region in known],
        "heard": any(region.state != RegionState.UNKNOWN for region in known if region.enabled) or not known,
        "version": settings.VERSION,
        "may_administer": may_administer(request),
        "as_of": clock.now(),
    }


LIST = (Panel("regions", "dashboard/settings/_regions.html", load_regions, "region", hold=True, every=REFRESH_SECONDS),)


@signed_in
@require_safe
def region_list(request: PageRequest) -> HttpResponseBase:
    context = {"panels": draw_all(request, LIST, request.path), "may_administer": may_administer(request)}
    return render(request, "dashboard/settings/regions.html", context)


@signed_in
@require_safe
def region_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


# --- One region -----------------------------------------------------------------------------------------------


def visible_region(request: PageRequest, region_slug: str) -> Region:
    """Http404 for one that is not there, and for somebody without a role."""
    return get_object_or_404(Region.objects.visible_to(request.user), slug=region_slug)


def administered(request: PageRequest, region_slug: str) -> Region:
    """The region, for somebody who may change it."""
    region = visible_region(request, region_slug)
    require(request.user, Role.ADMIN, None)
    return region


def _view(request: PageRequest, region: Region) -> RegionView:
    """What is known of it; read once a request. Http404 when it went away in between."""
    known: dict[str, RegionView] | None = getattr(request, "_portal_regions", None)
    if known is None:
        known = {view.slug: view for view in get_regions()}
        request._portal_regions = known  # type: ignore[attr-defined]
    if region.slug not in known:
        raise Http404
    return known[region.slug]


def load_state(request: PageRequest, region: Region) -> dict[str, Any]:
    return {
        "row": row_of(_view(request, region)),
        "version": settings.VERSION,
        "command": start_command(region.slug),
        "as_of": clock.now(),
    }


def load_workers(request: PageRequest, region: Region) -> dict[str, Any]:
    workers = [
        {
            "worker": worker,
            "is_skewed": is_skewed(worker.skew_seconds),
            "other_version": worker.version != settings.VERSION,
            "cpu_ratio": worker.cpu_percent / 100,
        }
        for worker in _view(request, region).workers
    ]
    return {"workers": workers, "as_of": clock.now()}


@dataclass(frozen=True)
class GuardRow:
    """A guard, how it looks, and what was last found at it as a sentence."""

    guard: Guard
    look: Look
    sentence: str


def load_guards(request: PageRequest, region: Region) -> dict[str, Any]:
    guards = get_guards(request.user).filter(region=region)
    return {
        "rows": [GuardRow(guard, guard_look(guard), sentence_of(guard)) for guard in guards],
        "region": region,
        "line": line_look(_view(request, region)),
        "line_since": _view(request, region).line_since,
        "may_administer": may_administer(request),
        "as_of": clock.now(),
    }


PANELS = (
    Panel("state", "dashboard/settings/_region_state.html", load_state, "region", every=REFRESH_SECONDS),
    Panel("workers", "dashboard/settings/_region_workers.html", load_workers, "region", every=REFRESH_SECONDS),
    Panel("guards", "dashboard/settings/_guards.html", load_guards, "region", every=REFRESH_SECONDS, hold=True),
)


@signed_in
@require_safe
def region_page(request: PageRequest, region_slug: str) -> HttpResponseBase:
    region = visible_region(request, region_slug)
    context = {
        "region": region,
        "panels": draw_all(request, PANELS, request.path, region),
        "crumbs": [regions_crumb()],
        "may_administer": may_administer(request),
        "is_own": region.slug == settings.PORTAL_REGION,
        "guards": list(get_guards(request.user).filter(region=region)) if may_administer(request) else [],
    }
    return render(request, "dashboard/settings/region.html", context)


@signed_in
@require_safe
def region_fragment(request: PageRequest, region_slug: str, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_region(request, region_slug))


def regions_crumb() -> tuple[str, str]:
    return _("Regions"), reverse("dashboard:settings-regions")


# --- Making, editing, removing --------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def region_new(request: PageRequest) -> HttpResponseBase:
    require(request.user, Role.ADMIN, None)
    form = NewRegionForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            region = create_region(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("%(name)s was added. Start a worker there next.") % {"name": region.name})
            return redirect("dashboard:settings-region", region.slug)
    return _form(request, form, None)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def region_edit(request: PageRequest, region_slug: str) -> HttpResponseBase:
    region = administered(request, region_slug)
    form = RegionForm(request.POST or None, initial={"name": region.name, "enabled": region.enabled})
    if form.is_bound and form.is_valid():
        try:
            update_region(actor=request.user, region=region, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("dashboard:settings-region", region.slug)
    return _form(request, form, region)


def _form(request: PageRequest, form: RegionForm, region: Region | None) -> HttpResponseBase:
    crumbs = [regions_crumb()]
    if region is not None:
        crumbs.append((region.name, reverse("dashboard:settings-region", args=[region.slug])))
    context = {"form": form, "region": region, "crumbs": crumbs, "back": crumbs[-1][1]}
    return render(request, "dashboard/settings/region_form.html", context, status=400 if form.errors else 200)


@signed_in
@require_POST
def region_switch(request: PageRequest, region_slug: str) -> HttpResponseBase:
    """Look from there no more, or again."""
    region = administered(request, region_slug)
    enabled = request.POST.get("enabled") == "yes"
    update_region(actor=request.user, region=region, enabled=enabled)
    sentence = _("%(name)s is on again.") if enabled else _("%(name)s is off: nothing is looked at from there.")
    messages.success(request, sentence % {"name": region.name})
    return redirect("dashboard:settings-region", region.slug)


@signed_in
@require_POST
def region_delete(request: PageRequest, region_slug: str) -> HttpResponseBase:
    region = administered(request, region_slug)
    try:
        delete_region(actor=request.user, region=region)
    except RegionInUse as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:settings-region", region.slug)
    messages.success(request, _("%(name)s was deleted.") % {"name": region.name})
    return redirect("dashboard:settings-regions")
