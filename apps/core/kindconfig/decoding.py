"""From a dict that came from outside to a config struct, collecting every field's errors."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _
from msgspec import inspect

from apps.core.kindconfig.fields import ConfigError, FieldInfo, Text, bare_type, entered_fields_of

StructType = TypeVar("StructType", bound=msgspec.Struct)
Errors = dict[str, list[Text]]

_MAX_DEPTH = 8
# A value that fails more often than this is not a slip of the hand, and the answer must stay small.
_MAX_ERRORS = 50


def decode(struct_type: type[StructType], data: Any, *, lenient: bool = False) -> StructType:
    """`data` (plain values) as `struct_type`. Raises ConfigError with a sentence for every field that is wrong.

    `lenient` accepts numbers and booleans written as text, which is how a form sends them. A struct may define
    `check()`, returning errors by field for rules that need the whole; it runs once every field is right by itself.
    """
    errors: Errors = {}
    if _depth(data) > _MAX_DEPTH:
        raise ConfigError({"": [_("The configuration is nested too deeply.")]})
    decoded = _struct(struct_type, data, "", errors, lenient)
    if errors or decoded is None:
        raise ConfigError(dict(list(errors.items())[:_MAX_ERRORS]))
    return decoded


def _depth(value: Any, level: int = 0) -> int:
    if level > _MAX_DEPTH:
        return level
    if isinstance(value, dict):
        return max((_depth(entry, level + 1) for entry in value.values()), default=level)
    if isinstance(value, list | tuple):
        return max((_depth(entry, level + 1) for entry in value), default=level)
    return level


def _struct(struct_type: type[StructType], data: Any, path: str, errors: Errors, lenient: bool) -> StructType | None:
    if not isinstance(data, dict):
        errors.setdefault(path, []).append(_("Enter an object with named values."))
        return None
    fields = entered_fields_of(struct_type)
    before = len(errors)
    _refuse_unknown(data, fields, path, errors)
    values = {}
    for found in fields:
        if found.key in data:
            values[found.name] = _value(found, data[found.key], _join(path, found.key), errors, lenient)
        elif found.required:
            errors[_join(path, found.key)] = [_("This field is required.")]
    if len(errors) > before:
        return None
    return _whole(struct_type, values, path, errors)


def _whole(struct_type: type[StructType], values: dict[str, Any], path: str, errors: Errors) -> StructType | None:
    """The struct itself, and the rules between its fields."""
    try:
        struct = struct_type(**values)
    except ConfigError as error:
        found: dict[str, Any] = dict(error.errors)
    else:
        check = getattr(struct, "check", None)
        found = dict(check()) if callable(check) else {}
        if not found:
            return struct
    for name, sentences in found.items():
        errors.setdefault(_join(path, name), []).extend(sentences)
    return None


def _refuse_unknown(data: dict[Any, Any], fields: tuple[FieldInfo, ...], path: str, errors: Errors) -> None:
    known = [found.key for found in fields]
    for key in data:
        if key not in known and len(errors) < _MAX_ERRORS:
            errors[_join(path, str(key)[:100])] = [
                _("Unknown field. Known fields: %(known)s.") % {"known": ", ".join(known)}
            ]


def _value(found: FieldInfo, value: Any, path: str, errors: Errors, lenient: bool) -> Any:
    if found.nested is not None and isinstance(value, dict):
        return _struct(found.nested, value, path, errors, lenient)
    if found.item is not None and isinstance(value, list):
        return _items(found, value, path, errors, lenient)
    try:
        return msgspec.convert(value, found.annotation, strict=not lenient)
    except (msgspec.ValidationError, UnicodeError):
        errors[path] = [expectation(found.annotation)]
        return None


def _items(found: FieldInfo, value: list[Any], path: str, errors: Errors, lenient: bool) -> Any:
    info = bare_type(found.annotation)
    limit = getattr(info, "max_length", None)
    if limit is not None and len(value) > limit:
        errors[path] = [_("Enter at most %(limit)s entries.") % {"limit": limit}]
        return None
    assert found.item is not None  # noqa: S101 - the caller looked
    items = [_struct(found.item, entry, f"{path}.{index}", errors, lenient) for index, entry in enumerate(value)]
    return tuple(items) if isinstance(info, inspect.VarTupleType) else items


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def expectation(annotation: Any) -> Text:  # noqa: PLR0911 - one line a type is the clearest table
    """What would be right for a field of this type, as a sentence."""
    info = bare_type(annotation)
    if isinstance(info, inspect.UnionType):
        return _("Enter a text, a number, true or false.")
    if isinstance(info, inspect.LiteralType):
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(str(value) for value in info.values)}
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _number(info)
    if isinstance(info, inspect.StrType):
        return _string(info)
    if isinstance(info, inspect.BoolType):
        return _("Enter true or false.")
    if isinstance(info, inspect.DictType):
        return _("Enter an object of at most %(limit)s names with texts.") % {"limit": info.max_length or 100}
    if isinstance(info, inspect.ListType | inspect.VarTupleType):
        return _("Enter a list of at most %(limit)s entries.") % {"limit": info.max_length or 100}
    return _("Enter an object with named values.")


def _number(info: inspect.IntType | inspect.FloatType) -> Text:
    whole = isinstance(info, inspect.IntType)
    low = info.ge if info.ge is not None else info.gt
    if low is None or info.le is None:
        return _("Enter a whole number.") if whole else _("Enter a number.")
    bounds = {"low": low, "high": info.le}
    if whole:
        return _("Enter a whole number from %(low)s to %(high)s.") % bounds
    return _("Enter a number from %(low)s to %(high)s.") % bounds


def _string(info: inspect.StrType) -> Text:
    if info.min_length and info.max_length:
        bounds = {"low": info.min_length, "high": info.max_length}
        return _("Enter a text of %(low)s to %(high)s characters.") % bounds
    if info.max_length:
        return _("Enter a text of at most %(high)s characters.") % {"high": info.max_length}
    return _("Enter a text.")
