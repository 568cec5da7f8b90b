"""Every answer to a GET under /api/v1/ has the shape its OpenAPI document says: what a generated client relies on."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from apps.accounts.models import User
from apps.catalog.models import Environment
from monitor_portal.api_urls import router
from tests.contracts.objects import OBJECTS
from tests.factories import api_client

pytestmark = pytest.mark.django_db

# What says nothing unless it is told of which objects.
QUERIES = {"model-compare": "ids={pk}"}
# Objects of one person: nobody else is answered.
PERSONAL = {"token-detail"}

_ROUTES: list[Any] = list(router.urls)
PATTERNS: dict[str, Any] = {
    str(pattern.name): pattern for pattern in _ROUTES if "get" in getattr(pattern.callback, "actions", {})
}


@pytest.fixture(scope="module")
def document() -> Any:
    return _plain(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def _plain(value: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: what may be null, and bounds that are not included."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {name: _plain(entry) for name, entry in value.items()}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.get(exclusive) is True:
            found[exclusive] = found.pop(bound)
    return {"anyOf": [found, {"type": "null"}]} if found.pop("nullable", False) else found


def _answer_schema(document: Any, pattern: Any) -> Any:
    """The schema of the 200 to a GET."""
    groups = pattern.pattern.regex.groupindex
    path = reverse(f"api:{pattern.name}", kwargs=dict.fromkeys(groups, _SAMPLE))
    for name in groups:
        path = path.replace(_SAMPLE, "{id}" if name == "pk" else f"{{{name}}}", 1)
    return document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


_SAMPLE = "01a1ff37-54a6-7ea9-984d-d109ed954892"


def _problems(schema: Any, document: Any, answer: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return sorted(
        {f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(answer)}
    )


@pytest.mark.parametrize("name", sorted(set(PATTERNS) - PERSONAL))
def test_an_answer_has_the_shape_that_is_promised(
    name: str, document: Any, administrator: User, production: Environment
) -> None:
    pattern = PATTERNS[name]
    schema = _answer_schema(document, pattern)
    arguments = OBJECTS[pattern.callback.initkwargs["basename"]](production)
    names = pattern.pattern.regex.groupindex
    url = reverse(f"api:{name}", kwargs={key: value for key, value in arguments.items() if key in names})
    answer = api_client(administrator).get(f"{url}?{QUERIES.get(name, '').format(**arguments)}")
    assert answer.status_code == 200, answer.content
    assert schema.get("additionalProperties") != {}, "the schema says nothing of this answer"
    problems = _problems(schema, document, answer.json())
    assert not problems, "\n".join(problems)
