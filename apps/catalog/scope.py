"""Which environment a page is about: in the URL (`?environment=prod`), remembered in the session, or all of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from apps.catalog.models import Environment
from apps.catalog.selectors import list_environments

PARAMETER = "environment"
_SESSION_KEY = "environment"
_ALL = "all"


@dataclass(frozen=True)
class Scope:
    """The environments the viewer may switch between, and the chosen one (None: all of them)."""

    environments: list[Environment]
    environment: Environment | None


def scope_of(request: HttpRequest) -> Scope:
    """The scope of this request, read once: one query. A name outside the viewer's grants means all they may see.

    A choice in the URL is remembered in the session; `?environment=all` forgets it.
    """
    known: Scope | None = getattr(request, "_environment_scope", None)
    if known is None:
        known = _read(request)
        request._environment_scope = known  # type: ignore[attr-defined]
    return known


def _read(request: HttpRequest) -> Scope:
    environments = list(list_environments(request.user))
    asked = request.GET.get(PARAMETER, "")
    slug = asked or request.session.get(_SESSION_KEY, "")
    chosen = next((environment for environment in environments if environment.slug == slug), None)
    if asked and (chosen is not None or asked == _ALL):
        remembered = chosen.slug if chosen is not None else ""
        if request.session.get(_SESSION_KEY, "") != remembered:
            request.session[_SESSION_KEY] = remembered
    return Scope(environments, chosen)
