"""A made-up message, for whoever words a channel to see what arrives; and a message as plain lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.alerts.channels.base import Message, MessageType
from apps.alerts.wording.text import Line, Text

LINES_SHOWN = 20


def sample_message(
    *, language: str, time_zone: str, wording: Mapping[str, str], at: datetime, web_url: str, environment: str
) -> Message:
    """Two alerts that fire and one that is over, so that every section and most placeholders have something to say."""
    with translation.override(language):
        shop, search, payments = _("Example shop"), _("Example search"), _("Example payments")
        rule = _("Example rule")
    shared = {"environment": environment, "url": f"{web_url}/alerts/", "news": "opened"}

    def started(minutes: int) -> str:
        return (at - timedelta(minutes=minutes)).isoformat()

    alerts = [
        _entry(shop, "critical", cause="status", reason="status_mismatch", started_at=started(126), **shared)
        | {"evidence": {"expected": 200, "actual": 503}},
        _entry(search, "warning", cause="latency", reason="above", started_at=started(12), **shared)
        | {"value": 2_400.0, "level": 2_000.0, "unit": "ms", "operator": ">", "rule": rule},
        _entry(payments, "critical", cause="status", reason="timeout", started_at=started(45), **shared)
        | {"state": "resolved", "resolved_at": started(3), "evidence": {"host": "example.org", "timeout_seconds": 10}},
    ]
    data = {
        "form": "group",
        "status": "mixed",
        "severity": "critical",
        "counts": {"firing": 2, "resolved": 1, "critical": 1, "warning": 1, "info": 0},
        "url": f"{web_url}/alerts/",
        "alerts": alerts,
        "omitted": 0,
    }
    return Message(
        id="sample",
        type=MessageType.ALERT_FIRING,
        occurred_at=at,
        sent_at=at,
        data=data,
        language=language,
        time_zone=time_zone,
        wording=wording,
    )


def _entry(name: str, severity: str, **values: Any) -> dict[str, Any]:
    return {"state": "firing", "severity": severity, "target": {"name": name, "kind": "service"}, **values}


def plain_text(text: Text) -> str:
    """A message without any mark-up, as a reader would tell it to a colleague."""
    parts = [text.title, *([text.summary] if text.summary else []), *_paragraphs(text)]
    parts += ["\n".join(f"{label}: {url}" for label, url in text.links), text.footer]
    return "\n\n".join(part for part in parts if part.strip())


def _paragraphs(text: Text) -> Iterator[str]:
    """One an alert; the lines of the user's own words stay together as they are."""
    own: list[str] = []
    for line in text.shown(LINES_SHOWN):
        if line.subject:
            yield "\n".join(_of_alert(line))
        else:
            own.append(line.sentence)
    if own:
        yield "\n".join(own)


def _of_alert(line: Line) -> Iterator[str]:
    yield f"{line.mark} · {line.subject}"
    yield line.sentence
    yield from (part for part in (line.when, " · ".join(line.details)) if part)
