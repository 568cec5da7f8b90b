"""The viewer's language and time zone, for the whole request."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from apps.accounts.models import User

ZONE_COOKIE = "portal_zone"
# Asked to learn whether the database is there, so no session may be read for them, not even by a log line.
_WITHOUT_SESSION = frozenset({"/healthz", "/readyz"})
_ZONES = frozenset(available_timezones())


class PreferencesMiddleware:
    """Language: the user's, else what LocaleMiddleware found (cookie, Accept-Language, PORTAL_LANGUAGE).

    Time zone: the user's, else the browser's (a cookie our script sets), else UTC. No query beyond the session's user.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = _session_user(request)
        if user is not None and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(zone_of(user, request)):
            return self.get_response(request)


def zone_of(user: User | None, request: HttpRequest) -> ZoneInfo:
    """The zone times are shown in. Unknown names (a cookie is the client's to write) fall back to UTC."""
    for name in (user.time_zone if user is not None else "", request.COOKIES.get(ZONE_COOKIE, "")):
        if name in _ZONES:
            return ZoneInfo(name)
    return ZoneInfo("UTC")


def _session_user(request: HttpRequest) -> User | None:
    if request.path in _WITHOUT_SESSION:
        request.user = AnonymousUser()
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.user if isinstance(request.user, User) else None
