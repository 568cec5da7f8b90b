"""The config of a kind: one frozen `msgspec.Struct`, from which validation, schema, form, masking and sealing follow.

    class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        url: Annotated[str, field(_("Address"), max_length=2_000, destination=True)]
        token: Annotated[str, field(_("Token"), max_length=500), SECRET] = ""

        def check(self) -> dict[str, list[Text]]: ...   # optional: rules between fields

A config is stored as a plain dict whose secrets are sealed; it is shown masked, and what comes back masked or absent
keeps the stored secret.
"""

from __future__ import annotations

from apps.core.kindconfig.decoding import decode
from apps.core.kindconfig.fields import FILLED, SECRET, ConfigError, Text, field, is_sensitive_header
from apps.core.kindconfig.forms import FormField, form_fields
from apps.core.kindconfig.schema import json_schema
from apps.core.kindconfig.secrets import (
    MASK,
    mask,
    merge,
    seal,
    secret_paths,
    secret_values,
    unseal,
    without_private,
)

__all__ = [
    "FILLED",
    "MASK",
    "SECRET",
    "ConfigError",
    "FormField",
    "Text",
    "decode",
    "field",
    "form_fields",
    "is_sensitive_header",
    "json_schema",
    "mask",
    "merge",
    "seal",
    "secret_paths",
    "secret_values",
    "unseal",
    "without_private",
]
