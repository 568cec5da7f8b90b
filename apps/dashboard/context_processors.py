"""What the shell around every page needs. Nothing here queries before a template asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from apps.catalog.crumbs import INSIDE
from apps.catalog.scope import Scope, scope_of


@dataclass(frozen=True)
class Place:
    """One entry of the rail. It is current on every view whose name starts with one of `views`."""

    label: Any
    icon: str
    url_name: str
    views: tuple[str, ...]


PLACES = (
    Place(_("Overview"), "overview", "dashboard:overview", ("dashboard:overview", "dashboard:first-check")),
    Place(_("Models"), "models", "dashboard:model-list", ("dashboard:model", "catalog:model", "catalog:provider")),
    Place(_("Services"), "services", "dashboard:service-list", ("dashboard:service", "catalog:service")),
    Place(_("Incidents"), "incidents", "dashboard:incident-list", ("dashboard:incident",)),
    Place(_("Alerts"), "alerts", "alerts:alert-list", ("alerts:",)),
    Place(_("Settings"), "settings", "dashboard:settings", ("dashboard:settings", "dashboard:component")),
)
# Addresses the shell links to where they exist: the name in templates, and the URL's name.
_LINKS = {
    "overview": "dashboard:overview",
    "search": "dashboard:search",
    "incidents": "dashboard:incident-list",
    "login": "accounts:login",
    "logout": "accounts:logout",
    "language": "accounts:language",
    "admin": "admin:index",
}


@dataclass(frozen=True)
class NavigationItem:
    """A place that exists: its URL, and whether the page is inside it."""

    label: Any
    icon: str
    url: str
    is_current: bool


def navigation(view_name: str, inside: str = "") -> list[NavigationItem]:
    """The rail's entries, in order, without those that have no page yet.

    `inside` is the URL of the list a page about one target belongs to; it tells more than the view's name.
    """
    items = []
    for place in PLACES:
        url = reverse_or_empty(place.url_name)
        if url:
            is_current = url == inside if inside else view_name.startswith(place.views)
            items.append(NavigationItem(place.label, place.icon, url, is_current))
    return items


def reverse_or_empty(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


class Shell:
    """`shell` in every template. Each part is read when it is first asked for."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def navigation(self) -> list[NavigationItem]:
        match = getattr(self._request, "resolver_match", None)
        return navigation(match.view_name if match else "", getattr(self._request, INSIDE, ""))

    @property
    def links(self) -> dict[str, str]:
        return {key: reverse_or_empty(name) for key, name in _LINKS.items()}

    @property
    def scope(self) -> Scope | None:
        """The environment switch; None for somebody who is not signed in. One query a request."""
        user = getattr(self._request, "user", None)
        return scope_of(self._request) if user is not None and user.is_authenticated else None


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell`, and the nonce under the name the htmx tags read."""
    nonce = getattr(request, "csp_nonce", None)
    context: dict[str, Any] = {"shell": SimpleLazyObject(lambda: Shell(request))}
    if nonce is not None:
        context["csp_nonce"] = nonce
    return context
