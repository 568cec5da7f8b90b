"""The page of components: how everything looks, in every state, in the reader's language and theme. For staff."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required, user_passes_test
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.dashboard import component_samples

_DAY_SECONDS = 86_400.0


def _is_staff(user: object) -> bool:
    return bool(getattr(user, "is_staff", False))


class SampleForm(forms.Form):
    """One field of each shape, with its help, its unit and (when bound) its error."""

    name = forms.CharField(label=_("Name"), help_text=_("Unique within the environment."), max_length=20)
    interval = forms.IntegerField(label=_("Interval"), min_value=1)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("http", "HTTP"), ("tcp", "TCP")])
    text = forms.CharField(label=_("Description"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    enabled = forms.BooleanField(label=_("Enabled"), help_text=_("A paused check keeps its history."), required=False)


@login_required
@user_passes_test(_is_staff)
def components(request: HttpRequest) -> HttpResponse:
    """Every component with sample data."""
    bound = SampleForm({"name": "x" * 30, "interval": "0", "kind": "udp"})
    context = component_samples.samples() | {"form": SampleForm(), "bound_form": bound}
    return render(request, "dashboard/components.html", context)


@login_required
@user_passes_test(_is_staff)
def component_chart(request: HttpRequest) -> JsonResponse:
    """Sample values for the chart panels; `?state=empty` and `?state=error` for the other two states."""
    if request.GET.get("state") == "error":
        # Meant to fail, and said with a status that no log and no test takes for a defect.
        return JsonResponse({"detail": "sample"}, status=422)
    end = _number(request.GET.get("to"), clock.now().timestamp())
    data = component_samples.chart(_number(request.GET.get("from"), end - _DAY_SECONDS), end)
    if request.GET.get("state") == "empty":
        for line in data["lines"]:
            line["values"] = [None] * len(line["values"])
    return JsonResponse(data)


def _number(text: str | None, default: float) -> float:
    try:
        return float(text or "")
    except ValueError:
        return default
