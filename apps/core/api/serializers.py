"""Serializers that refuse unknown fields and answer with the fields that were asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request


class NumberField(serializers.FloatField):
    """A number. True is none, though Python would take it for 1."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class PortalSerializer(serializers.Serializer[Any]):
    """Base of bodies and answers. A body may repeat read-only fields (a GET sent back is fine), never unknown ones."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                known = ", ".join(sorted(name for name, field in self.fields.items() if not field.read_only))
                message = _("There is no such field; known are %(known)s.") % {"known": known}
                raise serializers.ValidationError({name[:100]: [message] for name in unknown})
        return self._by_field_name(super().to_internal_value(data))

    def _by_field_name(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """Values by the name the client used, wherever `source` takes them from in an answer."""
        values: dict[str, Any] = {}
        for field in self._writable_fields:
            value: Any = parsed
            for step in field.source_attrs:
                if not isinstance(value, dict) or step not in value:
                    break
                value = value[step]
            else:
                values[str(field.field_name)] = value
        return values

    @cached_property
    def _readable_fields(self) -> list[serializers.Field[Any, Any, Any, Any]]:
        """What an answer holds: all, or those in `?fields=a,b`. DRF reads this for every row, so it is kept."""
        readable = [field for field in self.fields.values() if not field.write_only]
        wanted = self._wanted()
        if wanted is None:
            return readable
        names = [str(field.field_name) for field in readable]
        unknown = [name for name in wanted if name not in names]
        if unknown or not wanted:
            message = _("There is no field “%(unknown)s”; known are %(known)s.") % {
                "unknown": ", ".join(sorted(unknown)),
                "known": ", ".join(names),
            }
            raise serializers.ValidationError({"fields": [message]})
        return [field for field in readable if field.field_name in wanted]

    def check_fields(self) -> None:
        """Raises ValidationError for an unknown name in ?fields=, also where no row would have met it."""
        self._readable_fields  # noqa: B018

    def _wanted(self) -> set[str] | None:
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
