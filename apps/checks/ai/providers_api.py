"""REST: providers, and watching some of their models as far up the cost ladder as is wanted."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from apps.accounts.models import User
from apps.catalog.api import ProviderViewSet
from apps.checks.ai.adding import MOST_AT_ONCE, add_models
from apps.checks.ai.climbing import FIRST, LAST
from apps.core.api.serializers import PortalSerializer


class IntervalsField(serializers.DictField):
    """Seconds between looks, by rung: {"2": 300}."""

    child = serializers.IntegerField(min_value=1, max_value=86_400)

    def to_internal_value(self, data: Any) -> Any:
        rung = serializers.IntegerField(min_value=FIRST, max_value=LAST)
        return {rung.run_validation(key): seconds for key, seconds in super().to_internal_value(data).items()}


class WatchSerializer(PortalSerializer):
    """`names` of models, those that are not here yet are made; `rungs` of the cost ladder, 1 (free) to 4."""

    names = serializers.ListField(child=serializers.CharField(max_length=200), min_length=1, max_length=MOST_AT_ONCE)
    rungs = serializers.ListField(
        child=serializers.IntegerField(min_value=FIRST, max_value=LAST), min_length=1, max_length=LAST
    )
    intervals = IntervalsField(required=False)


class WatchedSerializer(PortalSerializer):
    """How many models and checks are new."""

    models = serializers.IntegerField()
    checks = serializers.IntegerField()


class WatchedProviderViewSet(ProviderViewSet):
    """AI model providers. `api_key` is written and never read back; `api_key_set` says whether there is one."""

    @extend_schema(request=WatchSerializer, responses={201: WatchedSerializer}, filters=False)
    @action(detail=True, methods=["post"], serializer_class=WatchSerializer, filterset_class=None)
    def watch(self, request: Request, **_kwargs: Any) -> Response:
        """Watch models: each gets a check a rung, of a kind that suits it and that it does not have yet."""
        target = self.get_object()
        body = WatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        added = add_models(
            actor=cast("User", request.user),
            provider=target.provider,
            names=body.validated_data["names"],
            rungs=body.validated_data["rungs"],
            intervals=body.validated_data.get("intervals"),
        )
        return Response(WatchedSerializer(added).data, status=status.HTTP_201_CREATED)


def register(router: BaseRouter) -> None:
    router.register("providers", WatchedProviderViewSet, basename="provider")
