"""Invented data for the page of components: every state of every component, long words and hostile text included.

Names and texts here stand for what people and targets would write, so they are data and not translated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.catalog.status import Status
from apps.core import clock

HOSTILE = '<script>alert("x")</script>'
LONG = "https://inference.europe-west4.example.com/v1/deployments/large-language-model-preview-2026-11/chat/completions"


@dataclass(frozen=True)
class Slice:
    """A segment of a history bar."""

    start: datetime
    end: datetime
    status: Status
    seconds: dict[Status, float] = field(default_factory=dict)
    note: str = ""


def samples() -> dict[str, Any]:
    """The context of the page."""
    now = clock.now()
    return {
        "statuses": list(Status),
        "as_of": now - timedelta(seconds=2),
        "now": now,
        "counts": {"operational": 31, "degraded": 2, "outage": 1, "unknown": 3, "maintenance": 1},
        "all_good": {"operational": 38, "degraded": 0, "outage": 0, "unknown": 0, "maintenance": 0},
        "many": {"operational": 4_210, "degraded": 1, "outage": 2, "unknown": 118, "maintenance": 0},
        "none": dict.fromkeys((status.value for status in Status), 0),
        "history": history(now, 48, timedelta(days=1)),
        "long_history": history(now, 90, timedelta(days=30)),
        "line": wave(30),
        "gaps": [value if position % 11 not in (3, 4, 5) else None for position, value in enumerate(wave(30))],
        "lonely": [None, None, 183.0, None, None, 240.0, 260.0, None],
        "flat": [120.0] * 30,
        "moments": [now - timedelta(seconds=seconds) for seconds in (0.4, 8, 125, 7_400, 273_600, 8_000_000)],
        "wrong": wrong_now(now),
        "timeline": timeline(now),
        "evidence": EVIDENCE,
        "evidence_plain": {"host": "db.internal", "port": 5432, "detail": HOSTILE, "expected": "a greeting"},
        "measurements": {
            "dns_ms": 4.1,
            "connect_ms": 12.6,
            "tls_ms": 31.9,
            "first_byte_ms": 1_840.0,
            "transfer_ms": 22.4,
        },
        "providers": providers(now),
        "chips": [
            {"label": "Status", "value": "Outage", "url": "?"},
            {"label": "Tag", "value": HOSTILE, "url": "?"},
        ],
        "filters": [
            {"name": "q", "label": "Name", "kind": "search", "value": ""},
            {
                "name": "status",
                "label": "Status",
                "kind": "select",
                "value": "outage",
                "choices": [(status.value, status.label) for status in Status],
            },
            {
                "name": "kind",
                "label": "Kind",
                "kind": "select",
                "value": "",
                "choices": [("http", "HTTP"), ("tcp", "TCP")],
            },
        ],
        "condition_fields": CONDITION_FIELDS,
        "condition_operators": [(sign, sign) for sign in ("==", "!=", "<", "<=", ">", ">=")]
        + [("contains", "contains"), ("not_contains", "does not contain"), ("matches", "matches")],
        "condition_value": '[{"field": "status", "operator": "==", "value": 200}, '
        '{"field": "json.data.0.id", "operator": "==", "value": "gpt-5"}, '
        '{"field": "response_time_ms", "operator": "<", "value": 800}]',
        "broken_condition_value": "[{not json",
        "ranges": [("1h", "1 h"), ("6h", "6 h"), ("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d")],
        "crumbs": [("Services", "#"), (LONG, "#")],
        "tabs": [
            {"label": "Channels", "url": "#", "is_current": True, "count": 3},
            {"label": "Notifications", "url": "#", "is_current": False, "count": 1_204},
        ],
        "columns": [("reason", "Reason"), ("since", "Since"), ("latency", "Response time")],
        "bulk_actions": [("pause", "Pause", False), ("delete", "Delete", True)],
        "row_items": [
            {"label": "Run now", "icon": "run", "url": "#"},
            {"label": "Delete", "icon": "trash", "dialog": "sample-delete", "is_dangerous": True},
        ],
        "tones": ["info", "ok", "warn", "bad"],
        "long": LONG,
        "hostile": HOSTILE,
    }


def wave(count: int) -> list[float]:
    """A believable response time in ms."""
    return [round(180 + 40 * math.sin(position / 3.1) + 25 * math.sin(position * 1.7), 1) for position in range(count)]


def history(now: datetime, count: int, window: timedelta) -> list[Slice]:
    width = window / count
    special = {
        9: (Status.DEGRADED, "Answered in 1,840 ms; more than 800 ms counts as degraded."),
        10: (Status.OUTAGE, "Expected status 200, got 503."),
        11: (Status.OUTAGE, ""),
        24: (Status.UNKNOWN, ""),
        25: (Status.UNKNOWN, ""),
        26: (Status.UNKNOWN, ""),
        40: (Status.MAINTENANCE, ""),
    }
    slices = []
    for position in range(count):
        start = now - window + width * position
        status, note = special.get(position, (Status.OPERATIONAL, ""))
        seconds = {status: width.total_seconds()}
        if position == 10:
            half = width.total_seconds() / 2
            seconds = {Status.OUTAGE: half, Status.OPERATIONAL: half}
        slices.append(Slice(start, start + width, status, seconds, note))
    return slices


def wrong_now(now: datetime) -> list[dict[str, Any]]:
    rows = [
        ("1", "Payments API", Status.OUTAGE, "Expected status 200, got 503.", 780, "alice", wave(30)),
        (
            "2",
            "서울 결제 게이트웨이 claude-large-preview-2026-11",
            Status.DEGRADED,
            "Answered in 1840 ms; more than 800 ms counts as degraded.",
            4_300,
            "",
            [value * 9 for value in wave(30)],
        ),
        ("3", HOSTILE, Status.DEGRADED, HOSTILE, 90_000, "", [None] * 22 + wave(8)),
    ]
    return [
        {
            "id": identifier,
            "name": name,
            "status": status.value,
            "reason": reason,
            "since": now - timedelta(seconds=seconds),
            "acknowledged_by": who,
            "line": line,
        }
        for identifier, name, status, reason, seconds, who, line in rows
    ]


def timeline(now: datetime) -> list[dict[str, Any]]:
    entries: list[tuple[int, dict[str, Any]]] = [
        (
            20,
            {"title": "Payments API: outage", "status": "outage", "text": "Expected status 200, got 503.", "url": "#"},
        ),
        (30, {"title": "Search: degraded", "status": "degraded", "url": "#"}),
        (400, {"title": "Acknowledged", "icon": "acknowledge", "actor": "alice"}),
        (
            700,
            {
                "title": "Note",
                "icon": "note",
                "actor": "bob",
                "text": "The load balancer lost two of three backends.\nRestarting them one at a time. " + HOSTILE,
            },
        ),
        (5_000, {"title": "Search: operational", "status": "operational", "url": "#"}),
        (90_000, {"title": "Billing: maintenance", "status": "maintenance"}),
        (
            90_010,
            {
                "title": "Billing: unknown",
                "status": "unknown",
                "text": "The last measurement is too old to be trusted.",
            },
        ),
    ]
    return [{"at": now - timedelta(seconds=seconds), **entry} for seconds, entry in entries]


def providers(now: datetime) -> list[dict[str, Any]]:
    rows = [
        ("gpt-5", Status.OPERATIONAL, 212.0, 0.99982),
        ("gpt-5-mini-realtime-preview-2026-10-28", Status.DEGRADED, 1_840.0, 0.9931),
        ("o5-pro", Status.UNKNOWN, None, None),
    ]
    return [
        {
            "name": name,
            "status": status.value,
            "latency": latency,
            "uptime": uptime,
            "history": history(now, 48, timedelta(days=1)),
        }
        for name, status, latency, uptime in rows
    ]


EVIDENCE: dict[str, Any] = {
    "url": "https://api.example.com/v1/health?token=••••••",
    "address": "203.0.113.10",
    "status_line": "HTTP/1.1 503 Service Unavailable",
    "conditions": [
        {"field": "status", "operator": "==", "expected": 200, "actual": 503, "passed": False},
        {"field": "response_time_ms", "operator": "<", "expected": 2000, "actual": 1911.0, "passed": True},
        {"field": "json.data.0.id", "operator": "==", "expected": "gpt-5", "actual": None, "passed": None},
    ],
    "headers": {
        "content-type": "application/json",
        "retry-after": "30",
        "set-cookie": "••••••",
        "x-hostile": HOSTILE,
    },
    "hops": [{"status": 301, "location": "https://www.example.com/"}],
    "certificate": {"subject": "api.example.com", "issuer": "Example CA R3", "not_after": "2026-12-24T10:00:00+00:00"},
    "body": '{"error":{"code":"backend_unavailable","message":"upstream connect error or disconnect before headers. '
    'reset reason: connection failure","request_id":"01J9ZC2V5QZ0V3X6E1K3YJ8S7B"}}',
    "body_bytes": 18_443,
}

CONDITION_FIELDS: list[dict[str, Any]] = [
    {"value": "status", "label": "Status", "numeric": True},
    {"value": "response_time_ms", "label": "Response time", "numeric": True, "unit": "ms"},
    {"value": "certificate_days", "label": "Certificate", "numeric": True, "unit": "d"},
    {"value": "body", "label": "Body"},
    {"value": "header", "label": "Header", "takes_name": True, "name_hint": "content-type"},
    {"value": "json", "label": "JSON", "takes_name": True, "name_hint": "data.0.id"},
]


def chart(start: float, end: float) -> dict[str, Any]:
    """The JSON of a chart panel: a gap, an outage, a lone value, a threshold and a mark."""
    count = 120
    width = (end - start) / count
    times = [start + width * position for position in range(count)]
    middle: list[float | None] = [
        round(190 + 45 * math.sin(position / 9) + 12 * math.sin(position * 2.3), 1) for position in range(count)
    ]
    for position in (*range(60, 71), *range(72, 76)):
        middle[position] = None
    middle[52:60] = [round(760 + 30 * math.sin(position), 1) for position in range(8)]

    def above(factor: float) -> list[float | None]:
        return [None if value is None else round(value * factor, 1) for value in middle]

    return {
        "unit": "ms",
        "from": start,
        "to": end,
        "times": times,
        "lines": [
            {"key": "p50", "label": "p50", "values": middle},
            {"key": "p95", "label": "p95", "values": above(1.35)},
            {"key": "p99", "label": "p99", "values": above(1.8)},
        ],
        "bands": [{"label": "p50–p95", "low": "p50", "high": "p95"}, {"label": "p95–p99", "low": "p95", "high": "p99"}],
        "thresholds": [{"value": 800, "label": "Slow above 800 ms", "status": "degraded"}],
        "spans": [{"from": times[60], "to": times[76], "status": "outage", "label": "Outage"}],
        "marks": [{"at": times[60], "label": "Incident"}, {"at": times[95], "label": "Deployed 4.2"}],
    }
