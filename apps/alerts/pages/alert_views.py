"""The landing page of alerts, and the page of one: what says so, who was told and why not, and who has it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.alerts.models import Alert, Channel
from apps.alerts.pages import alert_lists as lists
from apps.alerts.pages.looks import alert_look
from apps.alerts.pages.sentences import label_rows, subject, why
from apps.alerts.pages.story import numbers_of, source_row, story_rows, timeline_entry
from apps.alerts.register.selectors import explain, get_alert_timeline, list_alerts, summary_of
from apps.alerts.register.services import AlertConflict, acknowledge_alert
from apps.catalog.scope import scope_of
from apps.core import clock
from apps.core.panels import Panel, answer, draw_all


def environment_id(request: PageRequest) -> UUID | None:
    """The environment the page is narrowed to; None for all."""
    chosen = scope_of(request).environment
    return chosen.pk if chosen else None


# --- The list ---------------------------------------------------------------------------------------------


def load_alerts(request: PageRequest) -> dict[str, Any]:
    filters = lists.AlertFilters.read(request.GET)
    environment = environment_id(request)
    page = lists.find(request.user, filters, environment)
    last = None if page.rows or filters.is_active else lists.last_resolved(request.user, environment)
    return {
        "page": page,
        "rows": lists.rows_of(request.user, page.rows),
        "filters": filters,
        "counts": lists.counts(request.user, environment),
        "last": last,
        "last_subject": subject(last) if last else "",
        "has_channels": bool(page.rows) or Channel.objects.visible_to(request.user).present().exists(),
        "url": reverse("alerts:alert-list"),
        "as_of": clock.now(),
    }


LIST = (Panel("alerts", "alerts/_alerts.html", load_alerts, "alert,silence,notification", hold=True),)


@signed_in
@require_safe
def alert_list(request: PageRequest) -> HttpResponseBase:
    filters = lists.AlertFilters.read(request.GET)
    context = {
        "panels": draw_all(request, LIST, request.get_full_path()),
        "filter_fields": lists.filter_fields(filters),
        "chips": lists.chips_of(request.user, filters, request.path),
        "keep": {"target": filters.target} if filters.target else {},
        "url": request.path,
    }
    return render(request, "alerts/alert_list.html", context)


@signed_in
@require_safe
def alert_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


# --- One alert --------------------------------------------------------------------------------------------


def visible_alert(request: PageRequest, alert_id: UUID) -> Alert:
    """Http404 outside the viewer's grants."""
    return get_object_or_404(list_alerts(request.user).select_related("incident"), pk=alert_id)


def load_state(request: PageRequest, alert: Alert) -> dict[str, Any]:
    end = alert.resolved_at or clock.now()
    told = lists.told_of(request.user, [alert.pk])[alert.pk]
    return {
        "alert": alert,
        "look": alert_look(alert),
        "why": why(alert),
        "told": told,
        "lasted": (end - alert.started_at).total_seconds(),
        "may_operate": may(request.user, Role.OPERATOR, alert.environment_id),
    }


def load_told(request: PageRequest, alert: Alert) -> dict[str, Any]:
    stories = explain(alert)
    return {"alert": alert, "stories": story_rows(stories), "summary": summary_of(stories)}


def load_sources(request: PageRequest, alert: Alert) -> dict[str, Any]:
    rows = [source_row(source) for source in alert.sources.select_related("rule").order_by("since", "pk")]
    return {
        "alert": alert,
        "rows": rows,
        "numbers": numbers_of(alert),
        "labels": label_rows(alert.labels, names={row.source.name: row.name for row in rows}),
    }


def load_timeline(request: PageRequest, alert: Alert) -> dict[str, Any]:
    steps = get_alert_timeline(alert)
    entries = [timeline_entry(alert, step, number == 0) for number, step in enumerate(steps)]
    return {"alert": alert, "entries": entries[::-1]}


PANELS = (
    Panel("state", "alerts/_alert_state.html", load_state, "alert,notification"),
    Panel("told", "alerts/_alert_told.html", load_told, "alert,notification,silence"),
    Panel("sources", "alerts/_alert_sources.html", load_sources, "alert"),
    Panel("timeline", "alerts/_alert_timeline.html", load_timeline, "alert"),
)


@signed_in
@require_safe
def alert_page(request: PageRequest, alert_id: UUID) -> HttpResponseBase:
    alert = visible_alert(request, alert_id)
    context = {
        "alert": alert,
        "subject": subject(alert),
        "crumbs": [(_("Alerts"), reverse("alerts:alert-list"))],
        "panels": draw_all(request, PANELS, request.path, alert),
    }
    return render(request, "alerts/alert.html", context)


@signed_in
@require_safe
def alert_fragment(request: PageRequest, alert_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_alert(request, alert_id))


@signed_in
@require_POST
def alert_acknowledge(request: PageRequest, alert_id: UUID) -> HttpResponseBase:
    """Say who has it. A script that asks stays where it is: the parts that show the alert hear of it."""
    alert = visible_alert(request, alert_id)
    require(request.user, Role.OPERATOR, alert.environment_id)
    try:
        acknowledge_alert(alert=alert, actor=request.user)
    except AlertConflict as conflict:
        messages.warning(request, str(conflict))
    else:
        if request.htmx:
            return HttpResponse(status=204)
        messages.success(request, _("Acknowledged. Everybody sees that you have it."))
    return redirect(alert)
