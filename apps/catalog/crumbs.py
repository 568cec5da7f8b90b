"""The way to a page below a list: which list a target stands in, and the breadcrumb that leads there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Target, TargetKind

Crumb = tuple[Any, str]
# Where a request keeps the URL of the list its page belongs to; the rail reads it.
INSIDE = "_portal_inside"

_LISTS: dict[str, Crumb] = {
    TargetKind.PROVIDER: (_("Models"), "dashboard:model-list"),
    TargetKind.MODEL: (_("Models"), "dashboard:model-list"),
    TargetKind.SERVICE: (_("Services"), "dashboard:service-list"),
}


def list_of(kind: str) -> Crumb:
    """The list that holds targets of `kind`: its words and its URL."""
    label, url_name = _LISTS[kind]
    return label, reverse(url_name)


def stand_in_list(request: HttpRequest, kind: str) -> None:
    """This page is about a target of `kind`: its list is where the reader is."""
    setattr(request, INSIDE, list_of(kind)[1])


def crumbs_to(target: Target) -> list[Crumb]:
    """What stands above the target's own page: its list and, for a model, its provider (reads `target.namespace`)."""
    crumbs = [list_of(target.kind)]
    if target.namespace is not None:
        crumbs.append((target.namespace.name, target.namespace.get_absolute_url()))
    return crumbs


def crumbs_below(target: Target, *more: Crumb) -> list[Crumb]:
    """What stands above a page that belongs to the target."""
    return [*crumbs_to(target), (target.name, target.get_absolute_url()), *more]
