"""Stories of answering: an alert, the channel it was told through, and somebody with nothing but the link."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from apps.alerts.models import Alert, Channel, Silence
from apps.alerts.replies.tokens import Purpose, make_token
from tests.alerts.register.opening import channel_for_people, open_alert
from tests.factories import make_service


def alert_of(name: str = "Shop", **fields: Any) -> Alert:
    return open_alert(make_service(name).target, **fields)


def channel(name: str = "Team", **fields: Any) -> Channel:
    return channel_for_people(name, **fields)


def link(purpose: Purpose, subject: Any, through: Channel, **fields: Any) -> str:
    return f"/m/{make_token(purpose, subject=subject.pk, channel=through.pk, **fields)}/"


def acknowledge_link(alert: Alert, through: Channel) -> str:
    return link(Purpose.ACKNOWLEDGE_ALERT, alert, through)


def silence_link(alert: Alert, through: Channel) -> str:
    return link(Purpose.SILENCE_ALERT, alert, through)


def text(response: Any) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def tap(url: str, client: Client | None = None, **values: Any) -> Any:
    """Confirm, as a browser without a script does: look first, then send the form with the token it holds."""
    browser = client or Client(enforce_csrf_checks=True)
    shown = browser.get(url)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.content.decode())
    assert found is not None
    return browser.post(url, {"csrfmiddlewaretoken": found[1], **values}, follow=True)


def state_of(alert: Alert) -> tuple[bool, int]:
    """Whether it is acknowledged, and how many silences there are."""
    alert.refresh_from_db()
    return alert.acknowledged_at is not None, Silence.objects.count()
