"""Secrets inside configs: which values they are, and how they are masked, sealed, kept and left out.

All functions take and return the plain dict of a config and change nothing in place. A secret is a field marked
SECRET, or the value of a sensitive header in a field marked `headers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig.fields import ConfigError, FieldInfo, fields_of, is_sensitive_header

MASK = "••••••"
StructType = type[msgspec.Struct]
Change = Callable[[str], str]
Value = TypeVar("Value")


def secret_paths(struct_type: StructType, prefix: str = "") -> list[str]:
    """Dotted paths of the fields marked SECRET; `*` stands for every entry of a list."""
    paths: list[str] = []
    for found in fields_of(struct_type):
        path = f"{prefix}{found.key}"
        if found.secret:
            paths.append(path)
        if found.nested is not None:
            paths += secret_paths(found.nested, f"{path}.")
        if found.item is not None:
            paths += secret_paths(found.item, f"{path}.*.")
    return paths


def mask(struct_type: StructType, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` for showing: every secret that is set reads MASK."""
    return _changed(struct_type, data, lambda _secret: MASK)


def seal(struct_type: StructType, data: Mapping[str, Any], seal_one: Change) -> dict[str, Any]:
    """`data` for storing: every secret that is set goes through `seal_one`."""
    return _changed(struct_type, data, seal_one)


def unseal(struct_type: StructType, data: Mapping[str, Any], unseal_one: Change) -> dict[str, Any]:
    """`data` for probing: every secret that is set goes through `unseal_one`, whose errors pass through."""
    return _changed(struct_type, data, unseal_one)


def secret_values(struct_type: StructType, data: Mapping[str, Any]) -> list[str]:
    """Every secret that is set, so that it can be looked for where it must not appear."""
    found: list[str] = []

    def collect(secret: str) -> str:
        found.append(secret)
        return secret

    _changed(struct_type, data, collect)
    return found


def _changed(struct_type: StructType, data: Mapping[str, Any], change: Change) -> dict[str, Any]:
    changed = dict(data)
    for found in fields_of(struct_type):
        if found.key in changed:
            changed[found.key] = _changed_value(found, changed[found.key], change)
    return changed


def _changed_value(found: FieldInfo, value: Any, change: Change) -> Any:
    if found.secret:
        return change(value) if isinstance(value, str) and value else value
    if found.headers and isinstance(value, Mapping):
        return {
            name: change(entry) if isinstance(entry, str) and entry and is_sensitive_header(str(name)) else entry
            for name, entry in value.items()
        }
    if found.nested is not None and isinstance(value, Mapping):
        return _changed(found.nested, value, change)
    if found.item is not None and isinstance(value, list | tuple):
        item = found.item
        return [_changed(item, entry, change) if isinstance(entry, Mapping) else entry for entry in value]
    return value


def merge(struct_type: StructType, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`new` with every masked or absent secret taken from `old`; an empty one clears it.

    A stored secret goes only where it was meant to go: raises ConfigError on the secret's field when a field marked
    `destination` now names another server and the secret was not entered again.
    """
    kept: list[str] = []
    merged = _merged(struct_type, old, new, "", kept)
    if kept and _destination(struct_type, old) != _destination(struct_type, merged):
        sentence = _("Enter this secret again: a stored secret is not sent to another server.")
        raise ConfigError({path: [sentence] for path in kept})
    return merged


def _merged(
    struct_type: StructType, old: Mapping[str, Any], new: Mapping[str, Any], prefix: str, kept: list[str]
) -> dict[str, Any]:
    merged = dict(new)
    for found in fields_of(struct_type):
        path = f"{prefix}{found.key}"
        stored, given = old.get(found.key), new.get(found.key)
        if found.secret and (found.key not in new or given == MASK):
            _keep(merged, found.key, stored, path, kept)
        elif found.headers and isinstance(given, Mapping):
            merged[found.key] = _merged_headers(stored, given, path, kept)
        elif found.nested is not None and isinstance(given, Mapping):
            inner = stored if isinstance(stored, Mapping) else {}
            merged[found.key] = _merged(found.nested, inner, given, f"{path}.", kept)
        elif found.item is not None and isinstance(given, list | tuple):
            merged[found.key] = _merged_items(found.item, stored, given, f"{path}.", kept)
    return merged


def _merged_items(item: StructType, stored: Any, given: Sequence[Any], prefix: str, kept: list[str]) -> list[Any]:
    """Each entry with the secrets of the stored entry of its name; one that was renamed, of the one in its place."""
    before = [entry for entry in stored if isinstance(entry, Mapping)] if isinstance(stored, list | tuple) else []
    by_name = {entry["name"]: entry for entry in before if isinstance(entry.get("name"), str)}
    names = {entry.get("name") for entry in given if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)}
    merged: list[Any] = []
    for index, entry in enumerate(given):
        if not isinstance(entry, Mapping):
            merged.append(entry)
            continue
        name = entry.get("name")
        old = by_name.get(name) if isinstance(name, str) else None
        if old is None and index < len(before) and before[index].get("name") not in names:
            old = before[index]
        merged.append(_merged(item, old or {}, entry, f"{prefix}{index}.", kept))
    return merged


def _keep(merged: dict[str, Any], key: str, stored: Any, path: str, kept: list[str]) -> None:
    if stored:
        merged[key] = stored
        kept.append(path)
    else:
        merged.pop(key, None)


def _merged_headers(stored: Any, given: Mapping[str, Any], path: str, kept: list[str]) -> dict[str, Any]:
    before = {str(name).lower(): value for name, value in dict(stored or {}).items()}
    merged = {}
    for name, value in given.items():
        if value == MASK and is_sensitive_header(str(name)):
            if before.get(str(name).lower()):
                merged[name] = before[str(name).lower()]
                kept.append(path)
        else:
            merged[name] = value
    return merged


def _destination(struct_type: StructType, data: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        _server(data.get(found.key, found.default))
        for found in fields_of(struct_type)
        if found.extra.get("destination")
    )


def _server(value: Any) -> Any:
    """A URL's scheme, host and port; any other value as it is. A path on the same server is the same destination.

    Only what has a scheme and a host is a URL: a database query may hold “://” too, and is another one by any letter.
    """
    if isinstance(value, str) and "://" in value:
        try:
            parts = urlsplit(value.strip())
            if parts.scheme and parts.hostname:
                return parts.scheme.lower(), parts.hostname.lower(), parts.port
        except ValueError:
            return value
    return value


def without_private(struct_type: StructType, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` as a viewer may see it: masked, and without the fields marked `private` or `headers`."""
    hidden = {found.key for found in _private_fields(struct_type)}
    return {key: value for key, value in mask(struct_type, data).items() if key not in hidden}


def _private_fields(struct_type: StructType) -> Iterator[FieldInfo]:
    for found in fields_of(struct_type):
        if found.headers or found.extra.get("private"):
            yield found
