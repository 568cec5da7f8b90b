"""Words that stay as they are in every language: names, units, protocols and their own terms."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?<!\S)(?:https?:/)?/\S+")
_WORD = re.compile(r"[^\W\d_]{2,}")

# Compared without regard to case.
ALLOWED_WORDS = frozenset(
    """
    Monitor Portal English 한국어
    Anthropic Azure Google Gemini Ollama vLLM llama cpp LiteLLM OpenRouter
    PostgreSQL Valkey Redis Celery Django OpenAI OpenAPI Prometheus Daphne webhook webhooks Swagger Sentry
    API AI REST HTTP HTTPS TCP UDP DNS TLS SSL URL URLs URI JSON YAML CSV HTML SQL SSE JWT UUID ID IP IPv CIDR ASGI CSP
    GET POST PUT PATCH DELETE HEAD OPTIONS Bearer Basic RE host port status
    ms min kB MB GB TB PB KiB MiB GiB tokens UTC avg max
    Ctrl Esc Enter Tab Shift
    """.lower().split()
)


def unknown_words(text: str) -> list[str]:
    """The words of a text that somebody would have to translate."""
    return [word for word in _WORD.findall(_ADDRESS.sub("", text)) if word.lower() not in ALLOWED_WORDS]
