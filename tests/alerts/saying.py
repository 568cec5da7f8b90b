"""Messages for people, as the pipeline makes them, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.alerts.channels.base import Message

AT = datetime(2026, 11, 21, 11, 0, 0, tzinfo=UTC)
LINKS = {
    "view": "https://portal.example.org/alerts/1/",
    "acknowledge": "https://portal.example.org/a/" + "k" * 120,
    "silence": "https://portal.example.org/s/" + "k" * 120,
}


def entry(name: str = "Shop", **changes: Any) -> dict[str, Any]:
    """One alert: two hours old, critical, status 503 where 200 was expected."""
    return {
        "id": "1",
        "state": "firing",
        "severity": "critical",
        "cause": "status",
        "reason": "status_mismatch",
        "environment": "prod",
        "target": {"id": "t", "kind": "service", "name": name, "url": "https://portal.example.org/t/1/"},
        "title": name,
        "sources": [{"kind": "incident", "name": "Incident"}],
        "rule": None,
        "value": None,
        "level": None,
        "unit": "",
        "operator": "",
        "evidence": {"expected": 200, "actual": 503},
        "started_at": (AT - timedelta(hours=2)).isoformat(),
        "resolved_at": None,
        "acknowledged_by": None,
        "url": "https://portal.example.org/alerts/1/",
        "news": "opened",
        **changes,
    }


def over(name: str = "Search", **changes: Any) -> dict[str, Any]:
    """One that was resolved after an hour and a half."""
    ended = (AT - timedelta(minutes=30)).isoformat()
    return entry(name, **{"state": "resolved", "resolved_at": ended, "news": "resolved", **changes})


def message(
    *alerts: dict[str, Any],
    form: str = "group",
    status: str = "",
    omitted: int = 0,
    type: str = "alert.firing",
    **speaking: Any,
) -> Message:
    """A message of these alerts; `speaking`: language, time_zone, wording, links."""
    states = {each["state"] for each in alerts}
    firing = [each for each in alerts if each["state"] == "firing"]
    counts = {name: sum(each["severity"] == name for each in firing) for name in ("critical", "warning", "info")}
    counts |= {"firing": len(firing), "resolved": len(alerts) - len(firing)}
    counts["critical"] += omitted
    counts["firing"] += omitted
    data = {
        "form": form,
        "status": status or ("mixed" if len(states) > 1 else states.pop()),
        "severity": alerts[0]["severity"],
        "counts": counts,
        "labels": {},
        "url": "https://portal.example.org/alerts/",
        "alerts": list(alerts),
        "omitted": omitted,
    }
    return Message("n1", type, AT, AT, data, **{"links": LINKS, **speaking})
