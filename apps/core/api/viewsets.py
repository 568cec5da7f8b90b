"""View sets that parse, authorise, call one service or selector, and answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api.serializers import PortalSerializer
from apps.core.cache import key_part, remember

LOOKUP = "[0-9a-fA-F-]{36}"


class ReadOnlyPortalViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Lists and single objects. `get_queryset` must go through `visible_to(self.request.user)`."""

    lookup_value_regex = LOOKUP
    # What answers depend on (`core.cache.bump` names); answers are kept for seconds only where a view names some.
    cache_depends: tuple[str, ...] = ()
    list_seconds = 5.0
    object_seconds = 2.0

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer()
        if isinstance(serializer, PortalSerializer):
            serializer.check_fields()
        return self._kept("list", self.list_seconds, lambda: super(ReadOnlyPortalViewSet, self).list(request).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._kept("one", self.object_seconds, lambda: super(ReadOnlyPortalViewSet, self).retrieve(request).data)

    def _kept(self, what: str, seconds: float, compute: Callable[[], Any]) -> Response:
        if not self.cache_depends:
            return Response(compute())
        # The address holds host (links in it are absolute), filters and cursor; the caller counts by what they may see.
        request = self.request
        name = f"api_{self.basename}_{what}"
        parts = lambda: [request.build_absolute_uri(), key_part(request.user)]  # noqa: E731
        return Response(remember(name, seconds, self.cache_depends, parts, compute))


class PortalViewSet(ReadOnlyPortalViewSet):
    """With writing. One serializer describes body and answer; the three hooks below each call one service.

    `role_for_write` (default: operator) is what an unsafe method asks for in the object's environment.
    """

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def create_object(self, data: dict[str, Any]) -> models.Model:
        raise NotImplementedError

    def update_object(self, instance: Any, data: dict[str, Any]) -> models.Model:
        raise NotImplementedError

    def delete_object(self, instance: Any) -> None:
        raise NotImplementedError

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        instance = self.create_object(self.parsed(request.data))
        answer = self.present(instance)
        headers = {"Location": request.build_absolute_uri(f"{request.path}{instance.pk}/")}
        return Response(answer, status=status.HTTP_201_CREATED, headers=headers)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        instance = self.get_object()
        return Response(self.present(self.update_object(instance, self.parsed(request.data, instance))))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.delete_object(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def parsed(self, data: Any, instance: Any = None) -> dict[str, Any]:
        """The validated body. Raises ValidationError by field; with an `instance` every field may be left out."""
        serializer = self.get_serializer(instance, data=data, partial=instance is not None)
        serializer.is_valid(raise_exception=True)
        validated: dict[str, Any] = serializer.validated_data
        return validated

    def present(self, instance: models.Model) -> Any:
        """The answer for one object, read again through the queryset so that joins and annotations are there."""
        fresh = self.get_queryset().filter(pk=instance.pk).first()
        return self.get_serializer(instance if fresh is None else fresh).data
