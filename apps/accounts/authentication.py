"""Who calls the API: a bearer token of ours, a JWT, or (DRF's own class) a session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from apps.accounts.access import Scope
from apps.accounts.models import ApiToken, User
from apps.accounts.services import TOKEN_PREFIX
from apps.core import clock
from apps.core.secrets import digest

CHALLENGE = 'Bearer realm="api"'
# Knowing the minute a token was last used is enough, and keeps a busy script from writing at every call.
_USE_RESOLUTION = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer mp_…` or `Token mp_…`. One query, and one write a minute and token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        plain = _secret_of(request)
        if plain is None:
            return None
        token = authenticate_token(plain)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class PortalJWTAuthentication(JWTAuthentication):
    """simplejwt; a token made before the last change of password does not count (CHECK_REVOKE_TOKEN)."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken as error:
            raise AuthenticationFailed(
                _(
                    "This access token is not valid or has expired; get a new one at /api/v1/auth/token/refresh/, "
                    "or use an API token."
                )
            ) from error


def authenticate_token(plain: str) -> ApiToken:
    """The token whose secret is `plain`, with its user carrying the token's scope. Raises AuthenticationFailed."""
    token = ApiToken.objects.select_related("user").filter(digest=digest(plain)).first()
    if token is None:
        raise AuthenticationFailed(_("There is no such API token."))
    now = clock.now()
    if token.revoked_at is not None:
        raise AuthenticationFailed(_("This API token was revoked."))
    if token.expires_at is not None and token.expires_at <= now:
        raise AuthenticationFailed(_("This API token has expired; make a new one."))
    if not token.user.is_active:
        raise AuthenticationFailed(_("The account of this API token is not active."))
    if token.last_used_at is None or token.last_used_at < now - _USE_RESOLUTION:
        unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USE_RESOLUTION)
        ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)
    # Every later question about access is answered for the token and not for the person behind it.
    user: Any = token.user
    user.token_scope = Scope(token.scope)
    return token


def _secret_of(request: Request) -> str | None:
    """The API token in the request; None when it carries none (a JWT is left to the next class)."""
    words = get_authorization_header(request).decode("latin-1").split()
    if not words or words[0].lower() not in {"bearer", "token"}:
        return None
    if len(words) != 2:
        raise AuthenticationFailed(_("Send `Authorization: Bearer TOKEN`: one word, one space, the token."))
    if words[0].lower() == "bearer" and not words[1].startswith(f"{TOKEN_PREFIX}_"):
        return None
    return words[1]
