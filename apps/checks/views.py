"""The page of a check, its results, and what one does with it: run, pause, resume, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, require, signed_in
from apps.catalog.crumbs import crumbs_below
from apps.checks import check_page, heartbeat_page, services
from apps.checks.ai import rungs
from apps.checks.charts import RANGE_LABELS, latency_document, range_of, read_period
from apps.checks.models import Check
from apps.checks.spending.admission import NotAdmitted
from apps.core.panels import Panel, answer, draw_all


@signed_in
@require_safe
def check_detail(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    check = check_page.get_check(request, check_id)
    kind = check_page.kind_of(check)
    context = {
        "check": check,
        "kind": kind,
        "told": check_page.is_told(kind),
        "is_canary": rungs.is_canary(check.kind),
        "panels": draw_all(request, panels_of(check), request.get_full_path(), check, ids=[check.pk, check.target_id]),
        "ranges": RANGE_LABELS,
        "range": range_of(request.GET),
        "may_operate": check_page.may_operate(request, check),
        "crumbs": crumbs_below(check.target),
        "delete_title": _("Delete %(name)s") % {"name": check.name},
        "delete_text": _(
            "The check and its results leave the target's page at once. "
            "If it is the target's last one, the open incident closes."
        ),
        **_asked_run(request, check),
    }
    return render(request, "checks/page.html", context)


def panels_of(check: Check) -> tuple[Panel, ...]:
    """The parts of its page: a check that looks and one that is told have different ones."""
    return heartbeat_page.PANELS if check_page.is_told(check_page.kind_of(check)) else check_page.PANELS


def _asked_run(request: PageRequest, check: Check) -> dict[str, Any]:
    """The run the page was opened for (`?run=`): pressed without scripts, or by the first-run page."""
    try:
        return {"run_context": check_page.load_run(check, UUID(request.GET.get("run", "")))}
    except (ValueError, Http404):
        return {}


@signed_in
@require_safe
def check_fragment(request: PageRequest, check_id: UUID, name: str) -> HttpResponseBase:
    check = check_page.get_check(request, check_id)
    return answer(request, panels_of(check), name, check)


@signed_in
@require_safe
def check_latency(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    """The chart's data."""
    check = check_page.get_check(request, check_id)
    try:
        period = read_period(request.GET)
    except ValidationError as error:
        return JsonResponse(error.message_dict, status=400)
    return JsonResponse(latency_document([check], check.target_id, period))


@signed_in
@require_safe
def result_detail(request: PageRequest, check_id: UUID, result_id: UUID) -> HttpResponseBase:
    """One result with its evidence; a run still under way shows that it is."""
    check = check_page.get_check(request, check_id)
    context = check_page.load_run(check, result_id)
    crumbs = crumbs_below(check.target, (check.name, check.get_absolute_url()))
    return render(request, "checks/result.html", {**context, "crumbs": crumbs})


# --- Acting ---------------------------------------------------------------------------------------------------


def operated(request: PageRequest, check_id: UUID) -> Check:
    """The check, for somebody who may change it. Http404 outside the viewer's grants."""
    check = check_page.get_check(request, check_id)
    require(request.user, Role.OPERATOR, check.target.environment_id)
    return check


@signed_in
@require_POST
def check_run(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    """Look now. With scripts the panel of the run comes back; without, the page that shows it."""
    check = operated(request, check_id)
    if check_page.is_told(check_page.kind_of(check)):
        messages.error(request, _("A heartbeat is heard, not looked at: send it a ping instead."))
        return redirect(check)
    try:
        run = services.request_run(actor=request.user, check=check)
    except NotAdmitted as error:
        return _not_started(request, check, " ".join(error.messages))
    except ConnectionError:
        return _not_started(
            request, check, _("The message broker cannot be reached, so no look was started. Try again in a moment.")
        )
    if request.htmx:
        return render(request, "checks/_run.html", check_page.load_run(check, run.pk))
    return redirect(f"{check.get_absolute_url()}?run={run.pk}")


def _not_started(request: PageRequest, check: Check, sentence: str) -> HttpResponseBase:
    if request.htmx:
        return render(request, "checks/_run.html", {"check": check, "state": "refused", "sentence": sentence})
    messages.error(request, sentence)
    return redirect(check)


@signed_in
@require_safe
def run_fragment(request: PageRequest, check_id: UUID, run_id: UUID) -> HttpResponseBase:
    """The run's panel, asked for again each second while it is under way."""
    check = check_page.get_check(request, check_id)
    return render(request, "checks/_run.html", check_page.load_run(check, run_id))


@signed_in
@require_POST
def check_switch(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    """Pause or resume."""
    check = operated(request, check_id)
    enabled = request.POST.get("enabled") == "yes"
    services.update_check(actor=request.user, check=check, enabled=enabled)
    told = check_page.is_told(check_page.kind_of(check))
    resumed = _("%(name)s is waited for again.") if told else _("%(name)s runs on schedule again.")
    sentence = resumed if enabled else _("%(name)s is paused.")
    messages.success(request, sentence % {"name": check.name})
    return redirect(check)


@signed_in
@require_POST
def check_delete(request: PageRequest, check_id: UUID) -> HttpResponseBase:
    check = operated(request, check_id)
    services.delete_check(actor=request.user, check=check)
    messages.success(request, _("%(name)s was deleted.") % {"name": check.name})
    return redirect(reverse("dashboard:target", args=[check.target_id]))
