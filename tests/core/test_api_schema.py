"""The OpenAPI document and its page: complete, without a warning, and working under the content policy."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

PROMISED = [
    "environments",
    "regions",
    "providers",
    "models",
    "services",
    "targets",
    "checks",
    "incidents",
    "state-changes",
    "channels",
    "notifications",
    "tokens",
]


@pytest.fixture
def schema(db: None) -> dict[str, dict[str, dict[str, object]]]:
    GENERATOR_STATS.reset()
    document: dict[str, dict[str, dict[str, object]]] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return document


def test_it_is_valid_and_nothing_had_to_be_guessed(schema: dict[str, dict[str, dict[str, object]]]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_everything_promised_is_in_it(schema: dict[str, dict[str, dict[str, object]]]) -> None:
    paths = schema["paths"]
    for name in PROMISED:
        assert "get" in paths[f"/api/v1/{name}/"]
        assert "get" in paths[f"/api/v1/{name}/{{id}}/"]
    for path in ("summary/", "check-kinds/", "auth/token/", "checks/{id}/run/", "providers/{id}/discover/"):
        assert f"/api/v1/{path}" in paths
    assert "/api/monitoring/realtime-stats" in paths
    assert {"apiToken", "jwt"} <= set(schema["components"]["securitySchemes"])


def test_the_page_needs_no_exception_from_the_policy(db: None) -> None:
    answer = Client().get("/api/v1/docs/")
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    page = answer.content.decode()
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert all("nonce=" in tag for tag in re.findall(r"<style[^>]*>", page))
    nonce = re.search(r'<style nonce="([^"]+)"', page)
    assert nonce is not None
    assert nonce[1] in answer.headers["Content-Security-Policy"]
