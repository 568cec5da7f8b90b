"""Looks at a model server: the config as it goes out, and one look with it."""

from __future__ import annotations

from typing import Any

from apps.core.addresses import probe_policy
from apps.core.outbound.exchange import Exchange
from apps.probes.ai.classes import ErrorClass, Fault, class_of
from apps.probes.base import Outcome
from apps.probes.runner import run_once
from tests.servers.model_server import ModelServer

KEY = "sk-hunter2-hunter2-hunter2"
# "openai:responses" is the dialect openai, asked by the Responses API.
DIALECTS = ("openai", "openai:responses", "openai_compatible", "anthropic", "gemini", "ollama", "azure")
# Short enough that waiting for nothing does not take long, long enough for a busy machine.
CLOCKS: dict[str, Any] = {"first_token_timeout_seconds": 0.6, "stall_timeout_seconds": 0.6}


def endpoint(server: ModelServer, dialect: str = "openai", model: str = "model-a") -> dict[str, Any]:
    return {"dialect": dialect.partition(":")[0], "base_url": server.base_url(dialect), "api_key": KEY, "model": model}


def look(
    kind: str,
    server: ModelServer,
    model: str = "model-a",
    *,
    dialect: str = "openai",
    seconds: float = 10.0,
    degraded_after_ms: float | None = None,
    **config: Any,
) -> Outcome:
    """One look of `kind` at a model."""
    filled = {**config, "endpoint": endpoint(server, dialect, model)}
    return run_once(kind, filled, seconds, probe_policy(), degraded_after_ms=degraded_after_ms)


def classified(outcome: Outcome) -> tuple[ErrorClass, Fault] | None:
    """The class of what was found, and whose fault it is."""
    return class_of(outcome.reason)


def answered(status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"") -> Exchange:
    """An answer as the transport hands it over."""
    return Exchange(
        status=status,
        status_line=f"HTTP/1.1 {status} Told So",
        headers=headers or {},
        body=body,
        body_bytes=len(body),
        wire_bytes=len(body),
        url="https://host.example/v1/chat/completions",
        address="192.0.2.1",
        phases={},
        duration_ms=100.0,
        started_at=1_700_000_000.0,
    )
