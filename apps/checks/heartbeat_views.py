"""What only heartbeats have: one ping with its body, new addresses, and run times as a chart reads them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.doors import PageRequest, signed_in
from apps.catalog.crumbs import crumbs_below
from apps.checks import check_page, heartbeat_page
from apps.checks.charts import read_period
from apps.checks.heartbeats.selectors import get_ping
from apps.checks.heartbeats.services import rotate_addresses
from apps.checks.models import Check
from apps.checks.run_times import run_time_document
from apps.checks.views import operated


def told(check: Check) -> Check:
    """The check, if it is one that is told. Http404 for one that looks."""
    if not check_page.is_told(check_page.kind_of(check)):
        raise Http404
    return check


@signed_in
@require_safe
def ping_detail(request: PageRequest, check_id: UUID, ping_id: UUID) -> HttpResponseBase:
    """One ping with its body, for operators: a part of the page for a script, a page of its own without."""
    check = told(operated(request, check_id))
    ping = get_ping(check.pk, ping_id)
    if ping is None:
        raise Http404
    body = bytes(ping.body)
    context = {
        "check": check,
        "ping": ping,
        "text": heartbeat_page.body_text(body),
        "kept_bytes": len(body),
        "is_cut": ping.body_bytes > len(body),
        "crumbs": crumbs_below(check.target, (check.name, check.get_absolute_url())),
    }
    return render(request, "checks/_ping_body.html" if request.htmx else "checks/ping.html", context)


@signed_in
@require_POST
def rotate(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    """New addresses: the old ones are unknown from now on."""
    check = told(operated(request, check_id))
    rotate_addresses(actor=request.user, check=check)
    messages.success(
        request,
        _("%(name)s has new addresses. Clients with the old ones are not heard any more.") % {"name": check.name},
    )
    return redirect(f"{check.get_absolute_url()}#addresses")


@signed_in
@require_safe
def run_times(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    """The chart's data."""
    check = told(check_page.get_check(request, check_id))
    try:
        period = read_period(request.GET)
    except ValidationError as error:
        return JsonResponse(error.message_dict, status=400)
    return JsonResponse(run_time_document(check, period))
