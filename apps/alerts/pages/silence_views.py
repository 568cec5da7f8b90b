"""The pages of silences: what is hushed, until when, by whom; making one with a look at what it hushes; ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may, require, require_somewhere, signed_in
from apps.accounts.models import User
from apps.alerts.looks import Look
from apps.alerts.models import Silence
from apps.alerts.pages.alert_views import environment_id
from apps.alerts.pages.looks import silence_look
from apps.alerts.pages.row_fields import row_sentences
from apps.alerts.pages.sentences import cause_words, matcher_sentences, subject
from apps.alerts.pages.silence_forms import SilenceForm, initial_from, initial_of
from apps.alerts.silences import selectors, services
from apps.alerts.unreadable_rows import silence_problem
from apps.catalog.scope import scope_of
from apps.core import clock
from apps.core.forms import put_errors
from apps.core.keyset import Column, page_of
from apps.core.panels import Panel, answer, draw_all

PAGE_SIZE = 50
STATES: list[tuple[str, Any]] = [
    ("current", pgettext_lazy("silences", "Active and scheduled")),
    ("active", pgettext_lazy("silences", "Active")),
    ("scheduled", pgettext_lazy("silences", "Scheduled")),
    ("ended", pgettext_lazy("silences", "Ended")),
]
# What ends next stands first; of those that have ended, the last.
_ORDER = (Column("ends_at", datetime.fromisoformat), Column("id", UUID))
_ENDED_ORDER = (Column("ends_at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))


@dataclass(frozen=True)
class SilenceRow:
    """A silence with everything its row shows."""

    silence: Silence
    look: Look
    matchers: list[str]
    by: str
    is_over: bool
    may_end: bool
    # Why it hushes nothing, where it cannot be read.
    problem: str = ""


def silence_row(user: User, silence: Silence) -> SilenceRow:
    """`silence` comes from `list_silences`."""
    now = clock.now()
    over = silence.ends_at <= now
    return SilenceRow(
        silence=silence,
        look=silence_look(silence, now),
        matchers=matcher_sentences(silence.matchers),
        by=silence.author.get_username() if silence.author else silence.made_through,
        is_over=over,
        may_end=not over and may(user, Role.OPERATOR, silence.environment_id),
        problem=silence_problem(silence),
    )


# --- The list ---------------------------------------------------------------------------------------------


def _state(request: PageRequest) -> str:
    state = request.GET.get("state", "")
    return state if state in dict(STATES) else "current"


def _rows(request: PageRequest, state: str) -> QuerySet[Silence]:
    now = clock.now()
    conditions: dict[str, dict[str, Any]] = {
        "current": {"ends_at__gt": now},
        "active": {"starts_at__lte": now, "ends_at__gt": now},
        "scheduled": {"starts_at__gt": now, "ends_at__gt": now},
        "ended": {"ends_at__lte": now},
    }
    rows = selectors.list_silences(request.user).filter(**conditions[state])
    environment = environment_id(request)
    if environment is None:
        return rows
    return rows.filter(environment_id=environment) | rows.filter(environment__isnull=True)


def load_silences(request: PageRequest) -> dict[str, Any]:
    state = _state(request)
    order = _ENDED_ORDER if state == "ended" else _ORDER
    page = page_of(_rows(request, state), order, request.GET.get("cursor", ""), PAGE_SIZE)
    return {
        "page": page,
        "rows": [silence_row(request.user, silence) for silence in page.rows],
        "state": state,
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }


LIST = (Panel("silences", "alerts/_silences.html", load_silences, "silence", hold=True, every=60),)


@signed_in
@require_safe
def silence_list(request: PageRequest) -> HttpResponseBase:
    state = _state(request)
    tabs = [
        {"label": label, "url": f"{request.path}?state={value}", "is_current": value == state}
        for value, label in STATES
    ]
    context = {
        "panels": draw_all(request, LIST, request.get_full_path()),
        "states": tabs,
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }
    return render(request, "alerts/silence_list.html", context)


@signed_in
@require_safe
def silence_list_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, LIST, name)


# --- What it hushes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """What a silence hushes: the counts of all, and the first of them with their words (`alerts`: URL and words)."""

    preview: selectors.Preview
    alerts: list[tuple[str, str]]


def reach_of(preview: selectors.Preview) -> Reach:
    pattern = _("%(subject)s: %(cause)s")
    alerts = [
        (alert.get_absolute_url(), pattern % {"subject": subject(alert), "cause": cause_words(alert.cause)})
        for alert in preview.alerts
    ]
    return Reach(preview, alerts)


# --- One silence ------------------------------------------------------------------------------------------


def visible_silence(request: PageRequest, silence_id: UUID) -> Silence:
    """Http404 outside the viewer's grants."""
    return get_object_or_404(selectors.list_silences(request.user), pk=silence_id)


def load_state(request: PageRequest, silence: Silence) -> dict[str, Any]:
    return {"row": silence_row(request.user, silence)}


def load_hushed(request: PageRequest, silence: Silence) -> dict[str, Any]:
    reach = reach_of(selectors.hushed_by(request.user, silence))
    return {"reach": reach, "row": silence_row(request.user, silence)}


PANELS = (
    Panel("state", "alerts/_silence_state.html", load_state, "silence", every=60),
    Panel("hushed", "alerts/_silence_hushed.html", load_hushed, "silence,alert", hold=True),
)


@signed_in
@require_safe
def silence_page(request: PageRequest, silence_id: UUID) -> HttpResponseBase:
    silence = visible_silence(request, silence_id)
    context = {
        "silence": silence,
        "row": silence_row(request.user, silence),
        "crumbs": [_crumb()],
        "panels": draw_all(request, PANELS, request.path, silence),
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }
    return render(request, "alerts/silence.html", context)


@signed_in
@require_safe
def silence_fragment(request: PageRequest, silence_id: UUID, name: str) -> HttpResponseBase:
    return answer(request, PANELS, name, visible_silence(request, silence_id))


def _crumb() -> tuple[str, str]:
    return _("Silences"), reverse("alerts:silence-list")


# --- Making, looking ahead, ending ------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def silence_new(request: PageRequest) -> HttpResponseBase:
    """Make one; `action=preview` shows what it would hush and stores nothing."""
    require_somewhere(request.user, Role.OPERATOR)
    if request.method == "POST" and request.POST.get("action") == "preview":
        return _preview(request)
    initial = initial_from(request.user, request.GET, scope_of(request).environment)
    form = SilenceForm(request.user, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        values = form.values()
        require(request.user, Role.OPERATOR, values["environment"].pk if values["environment"] else None)
        try:
            silence = services.create_silence(actor=request.user, **values)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("The silence is set: nobody is told of what it hushes."))
            return redirect(silence)
    context: dict[str, Any] = {"form": form, "crumbs": [_crumb()]}
    if not form.is_bound and initial.get("matchers"):
        context |= _looked_ahead(request, initial["matchers"], initial["environment"])
    return render(request, "alerts/silence_form.html", context, status=400 if form.errors else 200)


def _preview(request: PageRequest, silence: Silence | None = None) -> HttpResponseBase:
    """What the matchers that stand in the form would hush; with scripts as a part of the page."""
    form = _form(request, silence, request.POST)
    form.is_valid()
    context: dict[str, Any] = {"form": form, "silence": silence, "crumbs": _crumbs(silence)}
    wrong = [name for name in ("matchers", "environment") if name in form.errors]
    if wrong:
        context["row_problems"] = row_sentences(form)
    else:
        context |= _looked_ahead(request, form.cleaned_data["matchers"], form.cleaned_data["environment"])
    if request.htmx:
        return render(request, "alerts/_silence_preview.html", context)
    # Only a look ahead: what is still empty is no mistake yet.
    for name in [name for name in form.errors if name not in wrong]:
        del form.errors[name]
    return render(request, "alerts/silence_form.html", context, status=400 if wrong else 200)


def _form(request: PageRequest, silence: Silence | None, data: Any) -> SilenceForm:
    if silence is None:
        return SilenceForm(request.user, data)
    has_begun = silence.starts_at <= clock.now()
    return SilenceForm(request.user, data, has_begun=has_begun, initial=initial_of(silence))


def _crumbs(silence: Silence | None) -> list[tuple[str, str]]:
    return [_crumb(), *([(silence.comment, silence.get_absolute_url())] if silence is not None else [])]


def _looked_ahead(request: PageRequest, matchers: Any, environment: Any) -> dict[str, Any]:
    """Nothing for conditions that are refused today, which what they are taken from may have had before."""
    try:
        return {"reach": reach_of(selectors.preview(request.user, matchers, environment))}
    except ValidationError:
        return {}


# --- Editing, ending --------------------------------------------------------------------------------------


def operated_silence(request: PageRequest, silence_id: UUID) -> Silence:
    """The silence, for somebody who may change it."""
    silence = visible_silence(request, silence_id)
    require(request.user, Role.OPERATOR, silence.environment_id)
    return silence


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def silence_edit(request: PageRequest, silence_id: UUID) -> HttpResponseBase:
    """Another end, another comment, other conditions; `action=preview` as for a new one."""
    silence = operated_silence(request, silence_id)
    if request.method == "POST" and request.POST.get("action") == "preview":
        return _preview(request, silence)
    form = _form(request, silence, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = form.values()
        require(request.user, Role.OPERATOR, values["environment"].pk if values["environment"] else None)
        try:
            saved = services.update_silence(actor=request.user, silence=silence, **values)
        except services.SilenceOver as over:
            messages.error(request, str(over))
            return redirect(silence)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _edited(silence, saved))
            return redirect(saved)
    context: dict[str, Any] = {"form": form, "silence": silence, "crumbs": _crumbs(silence)}
    if not form.is_bound:
        context["reach"] = reach_of(selectors.hushed_by(request.user, silence))
    return render(request, "alerts/silence_form.html", context, status=400 if form.errors else 200)


def _edited(before: Silence, after: Silence) -> str:
    if before.pk == after.pk:
        return _("Saved.")
    return _("Saved: what it hushed so far stays readable under the silence that has ended; this one goes on from now.")


@signed_in
@require_POST
def silence_extend(request: PageRequest, silence_id: UUID) -> HttpResponseBase:
    """An hour more."""
    silence = operated_silence(request, silence_id)
    try:
        services.extend_silence(actor=request.user, silence=silence, by=timedelta(hours=1))
    except services.SilenceOver as over:
        messages.error(request, str(over))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The silence lasts an hour longer."))
    return redirect(silence)


@signed_in
@require_POST
def silence_end(request: PageRequest, silence_id: UUID) -> HttpResponseBase:
    """End it now."""
    services.end_silence(actor=request.user, silence=operated_silence(request, silence_id))
    messages.success(request, _("The silence has ended. What it hushed and still fires is told now."))
    return redirect("alerts:silence-list")
