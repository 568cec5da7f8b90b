"""What the tests of components share: a template rendered with a request, hostile text, and one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.template import engines
from django.test import RequestFactory

HOSTILE = '"><script>alert(1)</script>'
NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def render(source: str, query: str = "", **context: Any) -> str:
    """The template `source` in the context of a GET request."""
    request = RequestFactory().get(f"/page/{query}")
    html: str = engines["django"].from_string(source).render(context, request)
    return html
