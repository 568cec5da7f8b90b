"""Who asked for an event stream, and for which events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.access import Role, access_of
from apps.accounts.models import User
from apps.live.events import FAMILIES
from apps.live.groups import session_digest
from apps.live.viewers import Viewer, viewer_of_session, viewer_of_user


@dataclass(frozen=True)
class Subscription:
    """`environment` is a short name, empty for all; `types` are first words or whole types, empty for all."""

    environment: str = ""
    types: frozenset[str] = frozenset()

    def wants(self, type: str) -> bool:
        return not self.types or type in self.types or type.partition(".")[0] in self.types

    def narrow(self, viewer: Viewer) -> Viewer:
        """`viewer` with no more than the environment that was asked for."""
        if not self.environment:
            return viewer
        kept = {id: slug for id, slug in viewer.environments.items() if slug == self.environment}
        return replace(viewer, environments=kept)


def parse_subscription(parameters: Mapping[str, str], viewer: Viewer) -> Subscription:
    """Read `?environment=` and `?types=`. Raises ValidationError by parameter."""
    errors: dict[str, list[str]] = {}
    for name in parameters.keys() - {"environment", "types"}:
        errors[name] = [gettext("No such filter; there are environment and types.")]
    environment = parameters.get("environment", "")
    if environment and environment not in viewer.environments.values():
        errors["environment"] = [gettext("There is no environment “%(name)s”.") % {"name": environment}]
    types = frozenset(part.strip() for part in parameters.get("types", "").split(",") if part.strip())
    unknown = sorted(type for type in types if type.partition(".")[0] not in FAMILIES)
    if unknown:
        errors["types"] = [
            gettext("There are no “%(name)s” events; choose from %(known)s.")
            % {"name": ", ".join(unknown), "known": ", ".join(FAMILIES)}
        ]
    if errors:
        raise ValidationError(errors)
    return Subscription(environment=environment, types=types)


@dataclass(frozen=True)
class Caller:
    """How somebody identified themselves, kept so that it can be asked again."""

    request: HttpRequest
    session_key: str | None

    def ask_again(self) -> Viewer | None:
        """The caller as they are now; None when the token or session no longer holds."""
        if self.session_key is not None:
            return viewer_of_session(self.session_key)
        try:
            return viewer_of_user(_authenticate(self.request)[0])
        except (AuthenticationFailed, NotAuthenticated, PermissionDenied):
            return None


def identify(request: HttpRequest) -> tuple[Caller, Viewer]:
    """By token, JWT or session, as everywhere in the API.

    Raises AuthenticationFailed, NotAuthenticated or, for somebody without any grant, PermissionDenied.
    """
    user, by_session = _authenticate(request)
    if not by_session:
        return Caller(request, None), viewer_of_user(user)
    session_key = request.session.session_key or ""
    return Caller(request, session_key), viewer_of_user(user, session_digest(session_key))


def _authenticate(request: HttpRequest) -> tuple[User, bool]:
    wrapped = Request(request, authenticators=APIView().get_authenticators())
    user = wrapped.user
    if not isinstance(user, User):
        raise NotAuthenticated
    if not access_of(user).allows_somewhere(Role.VIEWER):
        raise PermissionDenied(gettext("You have no role yet; ask an administrator for one."))
    return user, isinstance(wrapped.successful_authenticator, SessionAuthentication)
