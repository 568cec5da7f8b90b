"""Signing in and out, and the three preferences a page offers: language, theme, and the way into the admin."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.views import LoginView as FrameworkLoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.accounts.services import save_preferences
from apps.core.outages import plain_answer

THEME_COOKIE = "portal_theme"
_YEAR_SECONDS = 31_536_000


class LoginView(FrameworkLoginView):
    """Name and password; django-axes counts the failures, by name and address."""

    template_name = "registration/login.html"
    redirect_authenticated_user = True


def locked_out(request: HttpRequest, _original: Any = None, _credentials: Any = None) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: 429 that says for how long, as a page or (for the JWT endpoint) as JSON."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    sentence = _("Too many failed attempts to sign in. Try again in %(minutes)s minutes.") % {"minutes": minutes}
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse({"detail": sentence}, status=429)
    else:
        context = {"sentence": sentence, "minutes": minutes}
        try:
            page = render_to_string("registration/locked_out.html", context, request)
            response = HttpResponse(page, status=429)
        except TemplateDoesNotExist:
            response = plain_answer(request.path, 429, sentence)
    response["Retry-After"] = str(minutes * 60)
    return response


def admin_login(request: HttpRequest) -> HttpResponse:
    """One login for pages and admin. Somebody signed in who may not enter the admin is told so."""
    if request.user.is_authenticated:
        raise PermissionDenied(_("The administration is for staff."))
    target = request.GET.get("next", "/admin/")
    return redirect(f"{reverse('accounts:login')}?next={quote(target)}")


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in the browser and, for somebody signed in, in their account."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        known = ", ".join(code for code, _name in settings.LANGUAGES)
        return HttpResponseBadRequest(_("There is no such language; known are %(known)s.") % {"known": known})
    if isinstance(request.user, User):
        save_preferences(user=request.user, language=language)
    response = _back(request)
    _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme likewise; "system" follows the operating system."""
    theme = request.POST.get("theme", "")
    if theme not in User.Theme.values:
        known = ", ".join(User.Theme.values)
        return HttpResponseBadRequest(_("There is no such theme; known are %(known)s.") % {"known": known})
    if isinstance(request.user, User):
        save_preferences(user=request.user, theme=theme)
    response = _back(request)
    _remember(response, THEME_COOKIE, theme)
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR_SECONDS, samesite="Lax", secure=settings.PORTAL_HTTPS)


def _back(request: HttpRequest) -> HttpResponse:
    """To where the form was, if that is a page of ours; a script gets 204 and stays."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    target = request.POST.get("next") or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if allowed else "/")
