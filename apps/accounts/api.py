"""REST: JWT pairs and the caller's own API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.utils import get_md5_hash_password
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from apps.accounts import schema  # noqa: F401 - registers what the OpenAPI page says of authentication
from apps.accounts.access import Scope
from apps.accounts.models import ApiToken, User
from apps.accounts.permissions import OwnObjectsPermission
from apps.accounts.services import create_token, revoke_token
from apps.core.api.serializers import PortalSerializer
from apps.core.api.viewsets import ReadOnlyPortalViewSet


class PairSerializer(TokenObtainPairSerializer):
    """`{"username", "password"}` → `{"access", "refresh"}`."""

    default_error_messages = {"no_active_account": _("There is no active account with this name and password.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # django-axes marks the request it is given; the middleware that answers 429 sees Django's, not DRF's.
        context = dict(kwargs.get("context") or {})
        if "request" in context:
            context["request"] = getattr(context["request"], "_request", context["request"])
        super().__init__(*args, **{**kwargs, "context": context})


class RefreshSerializer(TokenRefreshSerializer):
    """simplejwt checks the account here but not the password, so a stolen refresh token would survive a new one."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        claims = self.token_class(attrs["refresh"]).payload
        user = User.objects.filter(pk=claims.get(api_settings.USER_ID_CLAIM)).first()
        if (
            user is None
            or not user.is_active
            or claims.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password)
        ):
            raise AuthenticationFailed(_("This refresh token no longer counts; sign in again."))
        renewed: dict[str, str] = super().validate(attrs)
        return renewed


class PairView(TokenObtainPairView):
    serializer_class = PairSerializer


class RefreshView(TokenRefreshView):
    serializer_class = RefreshSerializer


class TokenSerializer(PortalSerializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=100)
    scope = serializers.ChoiceField(choices=Scope.choices, default=Scope.READ)
    prefix = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    last_used_at = serializers.DateTimeField(read_only=True)


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(read_only=True, help_text=_("The secret. It is shown this once."))


class TokenViewSet(mixins.DestroyModelMixin, ReadOnlyPortalViewSet):
    """The caller's own tokens that still count. The secret is in the answer to POST and nowhere else."""

    serializer_class = TokenSerializer
    permission_classes = [OwnObjectsPermission]
    http_method_names = ["get", "post", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[ApiToken]:
        user = self.request.user
        if isinstance(user, AnonymousUser):
            return ApiToken.objects.none()
        return ApiToken.objects.filter(user=user, revoked_at__isnull=True)

    @extend_schema(request=TokenSerializer, responses={201: NewTokenSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made_with = request.auth if isinstance(request.auth, ApiToken) else None
        user: Any = request.user
        token, plain = create_token(
            actor=user,
            user=user,
            name=serializer.validated_data["name"],
            scope=Scope(serializer.validated_data["scope"]),
            expires_at=serializer.validated_data["expires_at"],
            made_with=made_with,
        )
        return Response({**self.get_serializer(token).data, "token": plain}, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: ApiToken) -> None:
        revoke_token(actor=instance.user, token=instance)


def register(router: BaseRouter) -> None:
    router.register("tokens", TokenViewSet, basename="token")


urlpatterns = [
    path("auth/token/", PairView.as_view(), name="auth-token"),
    path("auth/token/refresh/", RefreshView.as_view(), name="auth-token-refresh"),
]
