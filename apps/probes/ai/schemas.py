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

from apps.core.details import Words, words
from apps.core.kindconfig import Text
from apps.probes.conditions import pattern, pattern_problem
from apps.probes.details import Detail

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


def violation(schema: dict[str, Any], answer: Any) -> Words | None:
    """What the answer breaks first; None when it keeps to the schema."""
    try:
        problem = next(iter(_validator(msgspec.json.encode(schema)).iter_errors(answer)), None)
    except RecursionError:
        return words(Detail.TOO_DEEP)
    return _broken_rule(problem) if problem is not None else None


def _broken_rule(problem: ValidationError) -> Words:
    path, rule, wanted = _path_of(problem), str(problem.validator), problem.validator_value
    if rule == "required" and isinstance(wanted, list) and isinstance(problem.instance, dict):
        missing = next((name for name in wanted if name not in problem.instance), "")
        return words(Detail.SCHEMA_MISSING, path=path, name=str(missing))
    expected = ", ".join(wanted) if rule == "type" and isinstance(wanted, list) else wanted
    shown = expected if isinstance(expected, str) else msgspec.json.encode(expected).decode()
    if rule == "type":
        return words(Detail.SCHEMA_TYPE, path=path, expected=shown)
    return words(Detail.SCHEMA_RULE, path=path, rule=rule, expected=shown)


def _path_of(problem: ValidationError) -> str:
    return "/" + "/".join(str(step) for step in problem.absolute_path)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    return _Validator(msgspec.json.decode(schema))


def _whole_problem(schema: dict[str, Any]) -> Text | None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return _("This is no JSON schema: what stands at %(path)s is not allowed there.") % {
            "path": _path_of(error)[:200]
        }
    except RecursionError:
        return _("This JSON schema is nested too deeply.")
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
