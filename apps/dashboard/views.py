"""The overview, the lists of targets, the page of one target, and search: parse, authorise, read, render."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from apps.accounts.access import Role, access_of
from apps.accounts.doors import PageRequest, may, require, signed_in
from apps.catalog.models import Environment, Target
from apps.catalog.scope import scope_of
from apps.catalog.services import update_target
from apps.checks.charts import latency_document, range_of, read_period
from apps.checks.first_check import watch_url
from apps.checks.history import untimed_kinds
from apps.checks.services import request_run
from apps.core.forms import put_errors
from apps.core.panels import answer, draw_all
from apps.dashboard import lists, overview, search, targets
from apps.dashboard.forms import FirstCheckForm
from apps.dashboard.target_pages import page_of

_MOST_AT_ONCE = 200
# What a URL can carry; the page itself says how many of them it shows.
_MOST_COMPARED = 50


# --- Overview -------------------------------------------------------------------------------------------------


@signed_in
@require_safe
def overview_page(request: PageRequest) -> HttpResponseBase:
    """Everything at a glance; where nothing is watched yet, the way to the first check."""
    if not overview.summary_of(request)["targets"]["total"]:
        return _first_run(request, FirstCheckForm())
    panels = draw_all(request, overview.PANELS, request.path)
    return render(request, "dashboard/overview.html", {"panels": panels})


@signed_in
@require_safe
def overview_fragment(request: PageRequest, name: str) -> HttpResponseBase:
    return answer(request, overview.PANELS, name)


def _first_run(request: PageRequest, form: FirstCheckForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "may_operate": _environment_to_write(request) is not None,
        "has_role": access_of(request.user).allows_somewhere(Role.VIEWER),
    }
    return render(request, "dashboard/first_run.html", context, status=status)


@signed_in
@require_safe
def first_run_is_over(request: PageRequest) -> HttpResponseBase:
    """What the first-run page asks when something was added: 204 while there is still nothing, else "load me again"."""
    if overview.summary_of(request)["targets"]["total"]:
        return HttpResponseClientRefresh()
    return HttpResponse(status=204)


def _environment_to_write(request: PageRequest) -> Environment | None:
    """Where a first target goes: the chosen environment, else production, else the first the viewer may change."""
    scope = scope_of(request)
    usable = [one for one in scope.environments if may(request.user, Role.OPERATOR, one.pk)]
    if scope.environment is not None:
        return scope.environment if scope.environment in usable else None
    return next((one for one in usable if one.slug == "prod"), usable[0] if usable else None)


@signed_in
@require_POST
def first_check(request: PageRequest) -> HttpResponseBase:
    """One URL in, a result out: make the service and the check, and look at once."""
    environment = _environment_to_write(request)
    require(request.user, Role.OPERATOR, environment.pk if environment else None)
    form = FirstCheckForm(request.POST)
    if environment is None or not form.is_valid():
        return _first_run(request, form, status=400)
    try:
        check = watch_url(actor=request.user, environment=environment, url=form.cleaned_data["url"])
    except ValidationError as error:
        put_errors(form, error)
        return _first_run(request, form, status=400)
    address = check.get_absolute_url()
    try:
        run = request_run(actor=request.user, check=check)
    except ConnectionError:
        # The schedule looks at it as soon as the broker is back.
        return redirect(address)
    return redirect(f"{address}?run={run.pk}")


# --- Lists ----------------------------------------------------------------------------------------------------


@signed_in
@require_safe
def target_list(request: PageRequest, name: str) -> HttpResponseBase:
    entry = lists.LISTS[name]
    filters = lists.Filters.read(request.GET)
    environment = overview.environment_id(request)
    panels = draw_all(request, (lists.ROWS,), request.get_full_path(), entry)
    context = {
        "list": entry,
        "panels": panels,
        "filters": filters,
        "filter_fields": lists.filter_fields(filters, entry, lists.list_tags(request.user, entry, environment)),
        "chips": lists.chips_of(filters, entry, request.path),
        "keep": lists.kept(filters),
        "columns": lists.columns_of(entry),
        "counts": lists.counts_of(overview.summary_of(request), entry),
        "url": reverse(entry.url_name),
        "actions": [{"label": label, "url": reverse(url_name)} for label, url_name in entry.makes],
        "may_create": access_of(request.user).allows_somewhere(Role.OPERATOR),
    }
    return render(request, "dashboard/list.html", context)


@signed_in
@require_safe
def target_list_fragment(request: PageRequest, name: str, panel: str) -> HttpResponseBase:
    return answer(request, (lists.ROWS,), panel, lists.LISTS[name])


@signed_in
@require_POST
def target_bulk(request: PageRequest) -> HttpResponseBase:
    """Pause or resume the selected targets; those the caller may not change are left as they are and counted.

    To compare them changes nothing: it leads to their page.
    """
    if request.POST.get("action") == "compare":
        return _compare(request)
    enabled = {"pause": False, "resume": True}.get(request.POST.get("action", ""))
    if enabled is None:
        raise Http404
    identifiers = [identifier for text in request.POST.getlist("selected") if (identifier := _uuid(text))]
    chosen = list(Target.objects.visible_to(request.user).present().filter(pk__in=identifiers[:_MOST_AT_ONCE]))
    allowed = [target for target in chosen if may(request.user, Role.OPERATOR, target.environment_id)]
    for target in allowed:
        update_target(actor=request.user, target=target, enabled=enabled)
    _report(request, enabled, len(allowed), len(chosen) - len(allowed))
    back = request.POST.get("back", "")
    entry = lists.LISTS.get(back, lists.LISTS["target"])
    query = request.POST.get("query", "")
    return redirect(f"{reverse(entry.url_name)}{f'?{query}' if query else ''}")


def _compare(request: PageRequest) -> HttpResponseBase:
    identifiers = [str(identifier) for text in request.POST.getlist("selected") if (identifier := _uuid(text))]
    query = urlencode({"ids": ",".join(identifiers[:_MOST_COMPARED])}, safe=",")
    return redirect(f"{reverse('dashboard:model-compare')}?{query}")


def _report(request: PageRequest, enabled: bool, done: int, refused: int) -> None:
    if done and enabled:
        messages.success(
            request, ngettext("%(number)s target resumed.", "%(number)s targets resumed.", done) % {"number": done}
        )
    elif done:
        messages.success(
            request, ngettext("%(number)s target paused.", "%(number)s targets paused.", done) % {"number": done}
        )
    if refused:
        sentence = ngettext(
            "%(number)s target was left as it is: it takes the role Operator there.",
            "%(number)s targets were left as they are: it takes the role Operator there.",
            refused,
        )
        messages.warning(request, sentence % {"number": refused})
    if not done and not refused:
        messages.warning(request, _("Select at least one target."))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- One target -----------------------------------------------------------------------------------------------


@signed_in
@require_safe
def target_page(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    target = targets.get_target(request, target_id)
    page, checks, untimed = page_of(target), targets.checks_of(target), untimed_kinds()
    about = [target.pk, *(check.pk for check in checks)]
    preset = range_of(request.GET, page.presets)
    context: dict[str, Any] = {
        "target": target,
        "panels": draw_all(request, page.panels, f"{request.path}?range={preset}", target, ids=about),
        "ranges": page.presets.labels,
        "range": preset,
        "has_checks": any(check.kind not in untimed for check in checks),
        "check_ids": " ".join(str(identifier) for identifier in about[1:]),
        **targets.frame_of(target),
        "may_operate": targets.may_operate(request, target),
        **page.around(request, target, checks),
    }
    return render(request, page.template, context)


@signed_in
@require_safe
def target_fragment(request: PageRequest, target_id: UUID, name: str) -> HttpResponseBase:
    target = targets.get_target(request, target_id)
    return answer(request, page_of(target).panels, name, target)


@signed_in
@require_safe
def target_latency(request: PageRequest, target_id: UUID) -> HttpResponseBase:
    """The chart's data: all checks of the target together."""
    target = targets.get_target(request, target_id)
    try:
        period = read_period(request.GET)
    except ValidationError as error:
        return JsonResponse(error.message_dict, status=400)
    return JsonResponse(latency_document(targets.checks_of(target), target.pk, period))


# --- Search ---------------------------------------------------------------------------------------------------


@signed_in
@require_safe
def search_page(request: PageRequest) -> HttpResponseBase:
    query = search.clean(request.GET.get("q", ""))
    context = {"search_query": query, "groups": search.search(request.user, query, search.FOUND)}
    return render(request, "dashboard/search.html", context)


@signed_in
@require_safe
def search_suggestions(request: PageRequest) -> HttpResponseBase:
    """The first hits while somebody types."""
    query = search.clean(request.GET.get("q", ""))
    context = {"search_query": query, "groups": search.search(request.user, query, search.SUGGESTED)}
    return render(request, "dashboard/_suggestions.html", context)
