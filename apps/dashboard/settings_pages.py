"""Settings that belong to the portal: its environments, and how it feels itself."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, signed_in
from apps.alerts.unreadable_rows import list_unreadable
from apps.catalog.models import Environment
from apps.catalog.status import Status
from apps.core import clock
from apps.core.cache import cache_statistics
from apps.core.panels import Panel, answer, draw_all
from apps.dashboard import looking_history
from apps.dashboard.health import judge
from apps.dashboard.looking import load_looking_of
from apps.dashboard.overview import named_parts
from apps.dashboard.processes import costs_of
from apps.dashboard.readings import get_looking, readings_of

REFRESH_SECONDS = 10


@signed_in
@require_safe
def places(request: PageRequest) -> HttpResponseBase:
    """Environments with the number of targets in them. One query."""
    present = Q(targets__deleted_at__isnull=True)
    environments = Environment.objects.visible_to(request.user).annotate(number=Count("targets", filter=present))
    context = {
        "environments": list(environments.order_by("position", "slug")),
        "may_operate": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }
    return render(request, "dashboard/settings/places.html", context)


# --- Health ---------------------------------------------------------------------------------------------------


def load_health(request: PageRequest) -> dict[str, Any]:
    """The verdict and its parts, in bounded time even while a part hangs."""
    parts = named_parts(judge(readings_of(request)))
    ailing = [str(name) for name, part in parts if not part.ok]
    sentence = _("The portal is not well: %(parts)s") % {"parts": ", ".join(ailing)}
    return {
        "parts": parts,
        "status": Status.OUTAGE if ailing else Status.OPERATIONAL,
        "sentence": sentence if ailing else _("The portal is well"),
        "as_of": clock.now(),
    }


def load_looking(request: PageRequest) -> dict[str, Any]:
    return load_looking_of(readings_of(request))


def load_processes(request: PageRequest) -> dict[str, Any]:
    """CPU and memory by process. Without Valkey nothing is known of them."""
    readings = readings_of(request)
    figures = readings.valkey.processes if readings.valkey is not None else {}
    regions = readings.looking.regions if readings.looking is not None else []
    costs = costs_of(figures, regions)
    return {"costs": costs, "valkey": readings.valkey is not None, "as_of": costs.as_of}


def load_unreadable(request: PageRequest) -> dict[str, Any]:
    return {"unreadable": list_unreadable(request.user)}


def load_caches(_request: PageRequest) -> dict[str, Any]:
    return {"caches": cache_statistics(), "as_of": clock.now()}


HEALTH = (
    Panel("health", "dashboard/settings/_health.html", load_health, "summary,region", every=REFRESH_SECONDS),
    Panel("unreadable", "dashboard/settings/_unreadable.html", load_unreadable, "channel,route,rule,silence", every=60),
    Panel("looking", "dashboard/settings/_looking.html", load_looking, "region", every=REFRESH_SECONDS),
    Panel("queues", "dashboard/settings/_queues.html", load_looking, "region", every=REFRESH_SECONDS),
    Panel("processes", "dashboard/settings/_processes.html", load_processes, "region", every=REFRESH_SECONDS),
    Panel("caches", "dashboard/settings/_caches.html", load_caches, "summary", every=60),
)


@signed_in
@require_safe
def health(request: PageRequest) -> HttpResponseBase:
    panels = draw_all(request, HEALTH, request.path)
    return render(request, "dashboard/settings/health.html", {"panels": panels})


@signed_in
@require_safe
def health_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, HEALTH, name)


@signed_in
@require_safe
def health_chart(_request: PageRequest, name: str) -> HttpResponseBase:
    """The last hour of one figure of looking, by region."""
    chart = looking_history.CHARTS.get(name)
    if chart is None:
        raise Http404
    return JsonResponse(looking_history.document(chart, get_looking().regions))
