"""JSON schemas that a person writes and a model's answer is held against: whatever they say, checking ends soon.

Patterns go through RE2. References and what builds on them are refused: a schema that refers to itself can be made to
take for ever, and one that refers elsewhere would be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from apps.core.kindconfig import Text
from apps.probes.conditions import pattern, pattern_problem

_REFUSED = ("$ref", "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems", "patternProperties")
_MAX_DEPTH = 32


def _matches(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and pattern(wanted).search(instance) is None:
        yield ValidationError(wanted)


_Validator: Any = extend(Draft202012Validator, {"pattern": _matches})


def schema_problem(text: str) -> Text | None:
    """Why this text is no JSON schema that can be used here, as a sentence; None when it is one."""
    try:
        schema = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        return _('Enter a JSON schema, such as {"type": "object", "required": ["city"]}.')
    return _part_problem(schema) or _whole_problem(schema)


def violation(schema: dict[str, Any], answer: Any) -> str:
    """What the answer breaks first, in a few words; empty when it keeps to the schema."""
    try:
        problem = next(iter(_validator(msgspec.json.encode(schema)).iter_errors(answer)), None)
    except RecursionError:
        return "nested too deeply"
    if problem is None:
        return ""
    path = "/".join(str(step) for step in problem.absolute_path)
    return f"{path}: {problem.message}" if path else str(problem.message)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    return _Validator(msgspec.json.decode(schema))


def _whole_problem(schema: dict[str, Any]) -> Text | None:
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        detail = error.message if isinstance(error, SchemaError) else "nested too deeply"
        return _("This is no JSON schema: %(problem)s.") % {"problem": detail[:200]}
    return None


def _part_problem(value: Any, depth: int = 0) -> Text | None:
    """The first thing anywhere in the schema that is not to be used."""
    if depth > _MAX_DEPTH:
        return _("This JSON schema is nested too deeply.")
    if isinstance(value, list):
        return next((found for entry in value if (found := _part_problem(entry, depth + 1))), None)
    if not isinstance(value, dict):
        return None
    refused = next((name for name in _REFUSED if name in value), None)
    if refused is not None:
        return _("A JSON schema cannot use %(name)s here; write out what it stands for.") % {"name": refused}
    wanted = value.get("pattern")
    if isinstance(wanted, str) and (problem := pattern_problem(wanted)) is not None:
        return problem
    return next((found for entry in value.values() if (found := _part_problem(entry, depth + 1))), None)
