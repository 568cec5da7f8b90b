"""The pages of incidents, and the three things people do with one: acknowledge, note, resolve."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.checks.incidents import IncidentConflict, acknowledge_incident, add_note, resolve_incident
from apps.checks.models import Incident
from apps.core.panels import Panel, answer, draw_all
from apps.dashboard import incidents
from apps.dashboard.forms import NoteForm
from apps.dashboard.overview import environment_id, summary_of


def load_rows(request: PageRequest) -> dict[str, Any]:
    filters = incidents.IncidentFilters.read(request.GET)
    page = incidents.list_incidents(request.user, filters, environment_id(request))
    return {
        "page": page,
        "rows": [incidents.row_of(incident, request.user) for incident in page.rows],
        "filtered": filters.is_active,
        "url": reverse("dashboard:incident-list"),
    }


ROWS = (Panel("rows", "dashboard/_incident_rows.html", load_rows, "incident", hold=True),)


@signed_in
@require_safe
def incident_list(request: PageRequest) -> HttpResponseBase:
    filters = incidents.IncidentFilters.read(request.GET)
    context = {
        "panels": draw_all(request, ROWS, request.get_full_path()),
        "filter_fields": incidents.filter_fields(filters),
        "chips": incidents.chips_of(request.user, filters, request.path),
        "keep": filters.kept,
        "open": summary_of(request)["incidents"]["open"],
        "url": request.path,
    }
    return render(request, "dashboard/incident_list.html", context)


@signed_in
@require_safe
def incident_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, ROWS, name)


@signed_in
@require_safe
def incident_page(request: PageRequest, incident_id: UUID) -> HttpResponseBase:
    return _page(request, incidents.get_incident(request, incident_id), NoteForm())


def _page(request: PageRequest, incident: Incident, form: NoteForm, status: int = 200) -> HttpResponseBase:
    path = incident.get_absolute_url()
    asks_force = request.GET.get("resolve") == "anyway" and not incident.resolved_at
    context = {
        "incident": incident,
        "target": incident.target,
        "crumbs": [
            (_("Incidents"), reverse("dashboard:incident-list")),
            (incident.target.full_name, incident.target.get_absolute_url()),
        ],
        "panels": draw_all(request, incidents.PANELS, path, incident, ids=[incident.pk, incident.target_id]),
        "form": form,
        "may_operate": may(request.user, Role.OPERATOR, incident.target.environment_id),
        "asks_force": asks_force and incidents.is_failing(incident),
        "force_text": _(
            "%(name)s is still failing. If you resolve the incident now, no new one opens "
            "until it was operational once."
        )
        % {"name": incident.target.full_name},
    }
    return render(request, "dashboard/incident/page.html", context, status=status)


@signed_in
@require_safe
def incident_fragment(request: PageRequest, incident_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, incidents.PANELS, name, incidents.get_incident(request, incident_id))


def _operated(request: PageRequest, incident_id: UUID) -> Incident:
    incident = incidents.get_incident(request, incident_id)
    require(request.user, Role.OPERATOR, incident.target.environment_id)
    return incident


@signed_in
@require_POST
def incident_acknowledge(request: PageRequest, incident_id: UUID) -> HttpResponseBase:
    """Say who has it. A script that asks stays where it is: the parts that show the incident hear of it."""
    incident = _operated(request, incident_id)
    try:
        acknowledge_incident(incident=incident, actor=request.user)
    except IncidentConflict as error:
        messages.warning(request, str(error))
    else:
        if request.htmx:
            return HttpResponse(status=204)
        messages.success(request, _("Acknowledged. Everybody sees that you have it."))
    return redirect(incident)


@signed_in
@require_http_methods(["GET", "POST"])
def incident_note(request: PageRequest, incident_id: UUID) -> HttpResponseBase:
    incident = _operated(request, incident_id)
    if request.method == "GET":
        # Where a refused note leaves the browser: loading that address again leads back to the incident.
        return redirect(incident)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, incident, form, status=400)
    add_note(incident=incident, actor=request.user, text=form.cleaned_data["text"])
    return redirect(incident)


@signed_in
@require_POST
def incident_resolve(request: PageRequest, incident_id: UUID) -> HttpResponseBase:
    """Resolve by hand. While the target still fails the page explains what that means and asks once more."""
    incident = _operated(request, incident_id)
    try:
        resolve_incident(incident=incident, actor=request.user, force=request.POST.get("force") == "yes")
    except IncidentConflict:
        return redirect(f"{incident.get_absolute_url()}?resolve=anyway")
    messages.success(request, _("Resolved."))
    return redirect(incident)
