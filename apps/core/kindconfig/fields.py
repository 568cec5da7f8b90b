"""How a config struct describes its fields, and the error that names them."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from django.utils.functional import Promise
from msgspec import inspect

Text = str | Promise

SECRET = msgspec.Meta(extra={"secret": True})
# Nobody enters it: it is filled in when the config goes out, so no form, schema or caller knows of it.
FILLED = msgspec.Meta(extra={"filled": True})

# Only whole words: X-Monkey is no key, X-Api-Key and Apikey are.
_SENSITIVE_HEADER = re.compile(
    r"\A(proxy-)?authorization\Z|\A(set-)?cookie2?\Z"
    r"|(\A|[-_])(api)?(key|token|secret|password|passwd|auth|credential|signature|session)s?(\Z|[-_](id)?\Z)",
    re.IGNORECASE,
)
# The tokens of a language model, counted: x-ratelimit-remaining-tokens, anthropic-ratelimit-input-tokens-limit.
_COUNTED_TOKENS = re.compile(r"[-_]?rate-?limit[-_].*tokens", re.IGNORECASE)


def is_sensitive_header(name: str) -> bool:
    """Whether this HTTP header's value is a secret by its name: Authorization, Cookie, *-Key, *-Token and the like."""
    return bool(_SENSITIVE_HEADER.search(name.strip())) and not _COUNTED_TOKENS.search(name)


class ConfigError(Exception):
    """A config is not usable. `errors`: dotted field path ("conditions.0.field"; "" for the whole) → sentences."""

    def __init__(self, errors: Mapping[str, Sequence[Text]]) -> None:
        self.errors: dict[str, list[str]] = {
            path: [str(sentence) for sentence in sentences] for path, sentences in errors.items()
        }
        super().__init__(
            "; ".join(f"{path or 'config'}: {' '.join(found)}" for path, found in sorted(self.errors.items()))
        )


def field(  # noqa: PLR0913 - every one but the label is optional and named
    label: Text,
    help_text: Text = "",
    *,
    unit: Text = "",
    widget: str = "",
    private: bool = False,
    destination: bool = False,
    headers: bool = False,
    choices: Mapping[str, Text] | None = None,
    placeholder: str = "",
    **constraints: Any,
) -> msgspec.Meta:
    """Describe a field for people and give its bounds (`ge le max_length min_length pattern`, as in msgspec.Meta).

    `private`: hidden from viewers (request headers and bodies). `destination`: where the config's secrets are sent; a
    stored secret does not follow to another one. `headers`: a mapping of HTTP headers, the sensitive ones are secrets.
    """
    extra = {
        "label": label,
        "help": help_text,
        "unit": unit,
        "widget": widget,
        "private": private,
        "destination": destination,
        "headers": headers,
        "choices": dict(choices or {}),
        "placeholder": placeholder,
    }
    return msgspec.Meta(extra=extra, **constraints)


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of a struct as the other modules read it. `item` is the struct of a list's items, if it has one."""

    name: str
    key: str
    annotation: Any
    default: Any
    extra: Mapping[str, Any]
    item: type[msgspec.Struct] | None
    nested: type[msgspec.Struct] | None

    @property
    def required(self) -> bool:
        return self.default is msgspec.NODEFAULT

    @property
    def secret(self) -> bool:
        return bool(self.extra.get("secret"))

    @property
    def filled(self) -> bool:
        return bool(self.extra.get("filled"))

    @property
    def headers(self) -> bool:
        return bool(self.extra.get("headers"))

    @property
    def label(self) -> Text:
        label: Text = self.extra.get("label") or self.name.replace("_", " ").capitalize()
        return label


@lru_cache(maxsize=256)
def fields_of(struct_type: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    """The fields of a struct, in order."""
    hints = get_type_hints(struct_type, include_extras=True)
    return tuple(_field_info(found, hints[found.name]) for found in msgspec.structs.fields(struct_type))


@lru_cache(maxsize=256)
def entered_fields_of(struct_type: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    """Those a person or a caller gives, in order."""
    return tuple(found for found in fields_of(struct_type) if not found.filled)


def _field_info(found: msgspec.structs.FieldInfo, annotation: Any) -> FieldInfo:
    default = found.default
    if found.default_factory is not msgspec.NODEFAULT:
        default = found.default_factory()
    plain, extra = _unwrap(annotation)
    item = nested = None
    if _is_struct(plain):
        nested = plain
    elif get_origin(plain) in (list, tuple, Sequence):
        inner, _extra = _unwrap(get_args(plain)[0])
        item = inner if _is_struct(inner) else None
    return FieldInfo(found.name, found.encode_name, annotation, default, extra, item, nested)


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _unwrap(annotation: Any) -> tuple[Any, dict[str, Any]]:
    """The type inside `Annotated` and `| None`, and the merged `extra` of every Meta on the way."""
    extra: dict[str, Any] = {}
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            for meta in annotation.__metadata__:
                if isinstance(meta, msgspec.Meta):
                    extra.update(meta.extra or {})
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                return annotation, extra
            annotation = members[0]
        else:
            return annotation, extra


def bare_type(annotation: Any) -> inspect.Type:
    """What msgspec knows about a type, without metadata and without `| None`: the constraints are on the result."""
    info = inspect.type_info(annotation)
    while True:
        if isinstance(info, inspect.Metadata):
            info = info.type
        elif isinstance(info, inspect.UnionType):
            members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
            if len(members) != 1:
                return info
            info = members[0]
        else:
            return info
