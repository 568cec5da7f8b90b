"""Charts of one model, and models beside each other: parse, authorise, read, render."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.accounts.doors import PageRequest, signed_in
from apps.catalog.crumbs import list_of, stand_in_list
from apps.catalog.models import Target, TargetKind
from apps.checks.charts import OF_HOURS, Period, marks_of, read_period, spans_of
from apps.core.panels import answer, draw_all
from apps.dashboard import targets
from apps.dashboard.ai import compare, documents
from apps.dashboard.ai.model_page import past_of, spent_by_day


@signed_in
@require_safe
def model_chart(request: PageRequest, target_id: UUID, chart: str) -> HttpResponseBase:
    """One chart's data: ?range=, or ?from=&to= for a zoomed one."""
    target = targets.get_target(request, target_id)
    if target.kind != TargetKind.MODEL or chart not in {*documents.DOCUMENTS, "spend"}:
        raise Http404
    try:
        period = read_period(request.GET, OF_HOURS)
    except ValidationError as error:
        return JsonResponse(error.message_dict, status=400)
    return JsonResponse(_document(target, chart, period))


def _document(target: Target, chart: str, period: Period) -> dict[str, Any]:
    if chart == "spend":
        days, longer = spent_by_day(target, period)
        return documents.spend(days, longer)
    period, past = past_of(target, period)
    return {
        "from": period.start.timestamp(),
        "to": period.end.timestamp(),
        "times": [at.timestamp() for at in past.times],
        "spans": spans_of(target.pk, period),
        "marks": marks_of(target.pk, period),
        **documents.DOCUMENTS[chart](past),
    }


@signed_in
@require_safe
def compare_page(request: PageRequest) -> HttpResponseBase:
    """Up to eight models side by side: ?ids=&range=, or ?ids=&from=&to=."""
    stand_in_list(request, TargetKind.MODEL)
    chosen = compare.chosen_of(request)
    period, wrong = compare.period_of(request.GET)
    context: dict[str, Any] = {
        "chosen": chosen,
        "most": compare.MOST,
        "chips": compare.chips_of(request, chosen),
        "offered": compare.offered(request, chosen),
        "wrong": wrong,
        "period": period,
        "ranges": OF_HOURS.labels,
        "range": period.preset,
        "query": _query(request, chosen, period),
        "crumbs": [list_of(TargetKind.MODEL)],
        "ids_spaced": chosen.ids.replace(",", " "),
    }
    if chosen.models:
        address = reverse("dashboard:model-compare")
        context["panels"] = draw_all(
            request, (compare.TABLE,), f"{address}?{_query(request, chosen, period, sort=True)}"
        )
    return render(request, "dashboard/model/compare.html", context)


def _query(request: PageRequest, chosen: compare.Chosen, period: Period, *, sort: bool = False) -> str:
    """What charts and the table are asked for: the same models over the same time."""
    values = {"ids": chosen.ids}
    if period.preset:
        values["range"] = period.preset
    else:
        values |= {"from": f"{period.start.timestamp():.3f}", "to": f"{period.end.timestamp():.3f}"}
    if sort and request.GET.get("sort"):
        values["sort"] = request.GET["sort"]
    return urlencode(values, safe=",")


@signed_in
@require_safe
def compare_fragment(request: PageRequest, name: str) -> HttpResponse:
    return answer(request, (compare.TABLE,), name)


@signed_in
@require_safe
def compare_chart(request: PageRequest, name: str) -> HttpResponseBase:
    """One chart's data for the models of ?ids=."""
    try:
        period = read_period(request.GET, OF_HOURS)
    except ValidationError as error:
        return JsonResponse(error.message_dict, status=400)
    try:
        return JsonResponse(compare.document(name, compare.chosen_of(request).models, period))
    except KeyError as error:
        raise Http404 from error
