"""A config struct as the fields of a form, for the pages that let a person edit it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import inspect

from apps.core.kindconfig.fields import FieldInfo, Text, bare_type, entered_fields_of


@dataclass(frozen=True, slots=True)
class FormField:
    """One form field. `type` is text, url, number, boolean, secret, choice, textarea, mapping, conditions, list or
    choices (a list of some of them).

    `name` is the key in the config, `default` a plain value (None when there is none), `choices` (value, label) pairs,
    `minimum`/`maximum` the bounds of a number, `max_length` of a text or a list; `step` is "1" for whole numbers.
    """

    name: str
    label: Text
    type: str
    help: Text = ""
    required: bool = False
    default: Any = None
    choices: list[tuple[str, Text]] = field(default_factory=list)
    unit: Text = ""
    placeholder: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    step: str = ""
    private: bool = False


def form_fields(struct_type: type[msgspec.Struct]) -> list[FormField]:
    """The form of a config, in the order of its fields."""
    return [_form_field(found) for found in entered_fields_of(struct_type)]


def _form_field(found: FieldInfo) -> FormField:
    info = bare_type(found.annotation)
    is_number = isinstance(info, inspect.IntType | inspect.FloatType)
    return FormField(
        name=found.key,
        label=found.label,
        type=_type(found, info),
        help=found.extra.get("help", ""),
        required=found.required,
        default=None if found.required else msgspec.json.decode(msgspec.json.encode(found.default)),
        choices=_choices(found, info),
        unit=found.extra.get("unit", ""),
        placeholder=found.extra.get("placeholder", ""),
        minimum=_bound(info, "ge", "gt") if is_number else None,
        maximum=_bound(info, "le", "lt") if is_number else None,
        max_length=getattr(info, "max_length", None),
        step="1" if isinstance(info, inspect.IntType) else "any" if is_number else "",
        private=bool(found.headers or found.extra.get("private")),
    )


def _type(found: FieldInfo, info: inspect.Type) -> str:
    if found.secret:
        return "secret"
    if found.extra.get("widget"):
        return str(found.extra["widget"])
    if found.extra.get("choices") and isinstance(info, inspect.ListType | inspect.VarTupleType):
        return "choices"
    by_type: list[tuple[type[inspect.Type] | tuple[type[inspect.Type], ...], str]] = [
        (inspect.BoolType, "boolean"),
        ((inspect.IntType, inspect.FloatType), "number"),
        (inspect.LiteralType, "choice"),
        (inspect.DictType, "mapping"),
        ((inspect.ListType, inspect.VarTupleType), "list"),
    ]
    return next((name for types, name in by_type if isinstance(info, types)), "text")


def _choices(found: FieldInfo, info: inspect.Type) -> list[tuple[str, Text]]:
    labels: dict[str, Text] = found.extra.get("choices") or {}
    if isinstance(info, inspect.LiteralType):
        return [(str(value), labels.get(str(value), str(value))) for value in info.values]
    return list(labels.items())


def _bound(info: inspect.Type, *names: str) -> float | None:
    return next((value for name in names if (value := getattr(info, name, None)) is not None), None)
