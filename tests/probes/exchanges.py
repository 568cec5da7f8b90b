"""Answers made by hand, for what judges them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from apps.core.outbound.exchange import Certificate, Exchange

# Unix seconds of 2026-01-01, when every exchange here started.
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def exchange(
    status: int = 200,
    body: bytes | str | dict[str, Any] | list[Any] = b"",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Exchange:
    """An answer; a dict or a list becomes JSON."""
    data = (
        json.dumps(body).encode() if isinstance(body, dict | list) else body.encode() if isinstance(body, str) else body
    )
    defaults: dict[str, Any] = {
        "status": status,
        "status_line": f"HTTP/1.1 {status} Told So",
        "headers": headers or {},
        "body": data,
        "body_bytes": len(data),
        "wire_bytes": len(data),
        "url": "http://service.example/",
        "address": "192.0.2.7",
        "phases": {"dns_ms": 1.0, "connect_ms": 2.0},
        "duration_ms": 812.4,
        "started_at": STARTED_AT,
    }
    return Exchange(**{**defaults, **more})


def certificate(days: float) -> Certificate:
    """One that expires `days` after the exchange started."""
    return Certificate(
        subject="service.example",
        issuer="Test CA",
        not_before=datetime(2025, 1, 1, tzinfo=UTC),
        not_after=datetime.fromtimestamp(STARTED_AT + days * 86_400, UTC),
        names=("service.example",),
    )
