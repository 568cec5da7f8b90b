"""The settings pages about oneself: preferences, password and API tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Scope
from apps.accounts.doors import PageRequest, signed_in
from apps.accounts.forms import LIFETIMES, PasswordForm, PreferencesForm, TokenForm
from apps.accounts.models import ApiToken
from apps.accounts.services import create_token, revoke_token, save_preferences, set_password
from apps.accounts.views import THEME_COOKIE
from apps.core import clock
from apps.core.forms import put_errors

_YEAR_SECONDS = 31_536_000


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: PageRequest) -> HttpResponseBase:
    """Language, time zone and theme; the password on the same page."""
    wanted = request.POST.get("form", "")
    preferences = PreferencesForm(
        request.POST if wanted == "preferences" else None,
        initial={"language": request.user.language, "time_zone": request.user.time_zone, "theme": request.user.theme},
    )
    password = PasswordForm(request.user, request.POST if wanted == "password" else None)
    if preferences.is_bound and preferences.is_valid():
        return _save_preferences(request, preferences.cleaned_data)
    if password.is_bound and password.is_valid() and _change_password(request, password):
        return redirect("dashboard:settings")
    context = {"preferences": preferences, "password": password, "is_narrow": True}
    wrong = preferences.errors or password.errors
    return render(request, "accounts/profile.html", context, status=400 if wrong else 200)


def _save_preferences(request: PageRequest, chosen: dict[str, Any]) -> HttpResponse:
    save_preferences(user=request.user, **chosen)
    response = redirect("dashboard:settings")
    # Before anybody is signed in, the login page reads the same cookies.
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, chosen["language"]), (THEME_COOKIE, chosen["theme"])):
        response.set_cookie(name, value, max_age=_YEAR_SECONDS, samesite="Lax", secure=settings.PORTAL_HTTPS)
    with translation.override(chosen["language"] or translation.get_language()):
        messages.success(request, _("Saved."))
    return response


def _change_password(request: PageRequest, form: PasswordForm) -> bool:
    try:
        set_password(actor=request.user, user=request.user, password=form.cleaned_data["password"])
    except ValidationError as error:
        put_errors(form, error)
        return False
    # This browser stays signed in; every other session was bound to the old password.
    update_session_auth_hash(request, request.user)
    messages.success(request, _("The password was changed."))
    return True


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: PageRequest) -> HttpResponseBase:
    """The caller's tokens. A new one's secret is in the answer to its POST, once, and nowhere else."""
    form = TokenForm(request.POST or None)
    secret = _create(request, form) if form.is_bound and form.is_valid() else ""
    own = ApiToken.objects.filter(user=request.user, revoked_at__isnull=True).order_by("-created_at")
    context = {"form": TokenForm() if secret else form, "secret": secret, "tokens": list(own), "now": clock.now()}
    return render(request, "accounts/tokens.html", context, status=400 if form.errors else 200)


def _create(request: PageRequest, form: TokenForm) -> str:
    lifetime = LIFETIMES[form.cleaned_data["lifetime"]]
    try:
        _token, secret = create_token(
            actor=request.user,
            user=request.user,
            name=form.cleaned_data["name"],
            scope=Scope(form.cleaned_data["scope"]),
            expires_at=clock.now() + lifetime if lifetime else None,
        )
    except ValidationError as error:
        put_errors(form, error)
        return ""
    return secret


@signed_in
@require_POST
def token_revoke(request: PageRequest, token_id: UUID) -> HttpResponseBase:
    """End one of the caller's own tokens."""
    token = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    revoke_token(actor=request.user, token=token)
    messages.success(request, _("The token “%(name)s” was revoked.") % {"name": token.name})
    return redirect("dashboard:settings-tokens")
