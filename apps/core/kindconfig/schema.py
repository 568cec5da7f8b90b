"""A config struct as JSON Schema (2020-12), with titles and help in the active language and secrets write-only."""

from __future__ import annotations

from typing import Any

import msgspec

from apps.core.kindconfig.fields import FieldInfo, entered_fields_of, fields_of


def json_schema(struct_type: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one config: an object schema with nested structs under `$defs`."""
    structs = _structs(struct_type)
    (_root,), components = msgspec.json.schema_components([struct_type], ref_template="#/$defs/{name}")
    # A struct only a filled field leads to is nobody's business.
    components = {name: component for name, component in components.items() if name in structs}
    for name, component in components.items():
        _decorate(component, structs[name])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **components.pop(struct_type.__name__)}
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema


def _structs(struct_type: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    found = {struct_type.__name__: struct_type}
    for entry in entered_fields_of(struct_type):
        for inner in (entry.item, entry.nested):
            if inner is not None and inner.__name__ not in found:
                found |= _structs(inner)
    return found


def _decorate(component: dict[str, Any], struct_type: type[msgspec.Struct]) -> None:
    properties = component.get("properties", {})
    for found in fields_of(struct_type):
        if found.filled:
            properties.pop(found.key, None)
        if found.key in properties:
            properties[found.key] |= _people_words(found)


def _people_words(found: FieldInfo) -> dict[str, Any]:
    words: dict[str, Any] = {"title": str(found.label)}
    if found.extra.get("help"):
        words["description"] = str(found.extra["help"])
    if found.secret:
        words |= {"writeOnly": True, "format": "password"}
    return words
