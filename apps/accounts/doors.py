"""What a page asks before it does anything: is somebody signed in, and may they do this here?

Outside one's grants an object is 404 (`visible_to`); inside them, too small a role is refused with a sentence (403).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django_htmx.middleware import HtmxDetails

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.accounts.permissions import refusal


class PageRequest(HttpRequest):
    """A request of somebody who is signed in, seen by `HtmxMiddleware`."""

    user: User
    htmx: HtmxDetails


Parameters = ParamSpec("Parameters")
PageView = Callable[Concatenate[PageRequest, Parameters], HttpResponseBase]
AnyView = Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]


def signed_in(view: PageView[Parameters]) -> AnyView[Parameters]:
    """Only for people who are signed in; others are led to the login page and back.

    A script that fetches a fragment after the session ended sees the login page's address and leads the whole page
    there. Answers are private and asked for again each time.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        response = view(cast("PageRequest", request), *args, **kwargs)
        patch_cache_control(response, private=True, no_cache=True, max_age=0, must_revalidate=True)
        return response

    return guarded


def may(user: Any, role: Role, environment: UUID | None) -> bool:
    """True when `user` holds at least `role` there; None asks for the whole installation."""
    return access_of(user).allows(role, environment)


def require(user: Any, role: Role, environment: UUID | None) -> None:
    """Raises PermissionDenied with a sentence that names the role it takes."""
    if not may(user, role, environment):
        raise PermissionDenied(refusal(user, role))


def require_somewhere(user: Any, role: Role) -> None:
    """The same, for a page that asks for the environment only later."""
    if not access_of(user).allows_somewhere(role):
        raise PermissionDenied(refusal(user, role))
