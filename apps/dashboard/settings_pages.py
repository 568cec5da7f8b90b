"""Settings that belong to the portal: its environments and regions, and how it feels itself."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.doors import PageRequest, signed_in
from apps.catalog.models import Environment, Region
from apps.core import clock
from apps.core.cache import cache_statistics
from apps.core.panels import Panel, answer, draw_all
from apps.dashboard.health import judge
from apps.dashboard.overview import named_parts
from apps.dashboard.readings import take_readings


@signed_in
@require_safe
def places(request: PageRequest) -> HttpResponseBase:
    """Environments with the number of targets in them, and regions. Two queries."""
    present = Q(targets__deleted_at__isnull=True)
    environments = Environment.objects.visible_to(request.user).annotate(number=Count("targets", filter=present))
    context = {
        "environments": list(environments.order_by("position", "slug")),
        "regions": list(Region.objects.visible_to(request.user)),
    }
    return render(request, "dashboard/settings/places.html", context)


def load_health(request: PageRequest) -> dict[str, Any]:
    """Everything the portal knows of itself, in bounded time even while a part hangs."""
    database, valkey = take_readings()
    parts = judge(database, valkey)
    return {
        "parts": named_parts(parts),
        "well": all(part.ok for part in parts.values()),
        "queues": sorted((valkey.queues if valkey is not None else {}).items()),
        "valkey": valkey is not None,
        "caches": cache_statistics(),
        "as_of": clock.now(),
    }


HEALTH = (Panel("health", "dashboard/settings/_health.html", load_health, "summary"),)


@signed_in
@require_safe
def health(request: PageRequest) -> HttpResponseBase:
    panels = draw_all(request, HEALTH, request.path)
    return render(request, "dashboard/settings/health.html", {"panels": panels})


@signed_in
@require_safe
def health_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, HEALTH, name)
