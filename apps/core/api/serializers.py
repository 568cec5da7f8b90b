"""Serializers that refuse unknown fields and answer with the fields that were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request


class PortalSerializer(serializers.Serializer[Any]):
    """Base of bodies and answers. A body may repeat read-only fields (a GET sent back is fine), never unknown ones."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                known = ", ".join(sorted(name for name, field in self.fields.items() if not field.read_only))
                message = _("There is no such field; known are %(known)s.") % {"known": known}
                raise serializers.ValidationError({name[:100]: [message] for name in unknown})
        return super().to_internal_value(data)

    @cached_property
    def _readable_fields(self) -> list[serializers.Field[Any, Any, Any, Any]]:  # type: ignore[override]
        """What an answer holds: all, or those in `?fields=a,b`. DRF reads this for every row, so it is kept."""
        readable = [field for field in self.fields.values() if not field.write_only]
        wanted = self._wanted()
        if wanted is None:
            return readable
        names = [str(field.field_name) for field in readable]
        unknown = [name for name in wanted if name not in names]
        if unknown:
            message = _("There is no field %(unknown)s; known are %(known)s.") % {
                "unknown": ", ".join(sorted(unknown)),
                "known": ", ".join(names),
            }
            raise serializers.ValidationError({"fields": [message]})
        return [field for field in readable if field.field_name in wanted]

    def _wanted(self) -> Iterable[str] | None:
        """The fields asked for; only the outermost serializer of a GET obeys."""
        request: Request | None = self.context.get("request")
        nested = self.parent is not None and not (
            isinstance(self.parent, serializers.ListSerializer) and self.parent.parent is None
        )
        if request is None or nested or request.method not in {"GET", "HEAD"}:
            return None
        given = request.query_params.get("fields")
        if given is None:
            return None
        return {name.strip() for name in given.split(",") if name.strip()}
