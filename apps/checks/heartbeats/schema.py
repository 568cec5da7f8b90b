"""How the OpenAPI document describes checks that are told and checks that look; imported where the views are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension

from apps.checks.heartbeats.representing import TOLD_FIELDS


class ToldFields(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """What only a check that is told has may be missing from an answer."""

    target_class = "apps.checks.heartbeats.representing.ToldSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in TOLD_FIELDS]
        return schema
