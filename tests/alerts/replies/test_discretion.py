"""The address of a link is a permission: what is done so that nobody but its reader gets to know it."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from logging import StreamHandler, getLogger
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.alerts.models import Channel
from apps.alerts.replies.tokens import Purpose
from apps.core import clock
from tests.alerts.register.opening import end_alert
from tests.alerts.replies.world import acknowledge_link, alert_of, channel, link, silence_link, tap, text

pytestmark = pytest.mark.django_db


def _pages() -> list[str]:
    alert, team = alert_of(), channel()
    resolved = alert_of("Search")
    end_alert(resolved)
    return [
        acknowledge_link(alert, team),
        silence_link(alert, team),
        acknowledge_link(resolved, team),
        link(Purpose.ACKNOWLEDGE_ALERT, alert, team, lifetime=timedelta(seconds=-1)),
        acknowledge_link(alert, team)[:-4] + "/",
    ]


def test_no_cache_search_engine_or_other_site_learns_the_address() -> None:
    for url in _pages():
        answer = Client().get(url)
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert answer["Referrer-Policy"] == "strict-origin", "the path is in no Referer; with none the form is refused"
        assert answer["X-Frame-Options"] == "DENY"
        page = answer.content.decode()
        assert '<meta name="robots" content="noindex' in page
        outside = [found for found in re.findall(r'(?:href|src|action)="([^"]*)"', page) if "//" in found]
        assert outside == []


def test_the_pages_work_without_scripts_and_hold_none_of_their_own() -> None:
    for url in _pages()[:2]:
        page = Client().get(url).content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
        assert "hx-" not in page and "onclick" not in page and "style=" not in page
        assert page.count('<form method="post">') + page.count('<form class="stack stack-small" method="post">') == 1
        assert 'name="viewport"' in page


@pytest.fixture
def log_lines() -> Any:
    """What the handlers would write, whoever wrote it."""
    stream = StringIO()
    handler = StreamHandler(stream)
    root = getLogger()
    formatter = root.handlers[0].formatter if root.handlers and root.handlers[0].formatter else None
    for known in root.handlers:
        if type(known.formatter).__name__ == "ProcessorFormatter":
            formatter = known.formatter
    handler.setFormatter(formatter)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def test_no_log_line_holds_a_link(log_lines: StringIO) -> None:
    urls = _pages()
    client = Client(enforce_csrf_checks=True)
    for url in urls:
        client.get(url)
        client.post(url)
    written = log_lines.getvalue()
    assert "/m/…" in written
    assert not [url for url in urls if url.strip("/") in written]


@pytest.mark.parametrize(
    ("spoken", "cookie", "person", "expected"),
    [
        ("en", "", "", "en"),
        ("ko", "", "", "ko"),
        ("ko", "en", "", "en"),
        ("en", "ko", "", "ko"),
        ("ko", "ko", "en", "en"),
        ("ko", "xx", "", "ko"),
    ],
)
def test_the_page_speaks_the_language_of_its_channel_unless_the_reader_chose_another(
    spoken: str, cookie: str, person: str, expected: str, viewer: User
) -> None:
    alert, team = alert_of(), channel(language=spoken)
    client = Client(headers={"accept-language": "fr"})
    if cookie:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie
    if person:
        viewer.language = person
        viewer.save(update_fields=["language"])
        client.force_login(viewer)
    answer = client.get(acknowledge_link(alert, team))
    assert answer["Content-Language"] == expected
    assert f'<html lang="{expected}"' in answer.content.decode()


def test_times_are_those_of_the_channels_zone() -> None:
    alert, team = alert_of(), channel(time_zone="Asia/Seoul")
    tap(silence_link(alert, team), hours=1)
    page = text(Client().get(silence_link(alert, team)))
    there = (clock.now() + timedelta(hours=10)).strftime("%H:")
    assert there in page


def test_what_a_target_or_channel_is_called_is_shown_as_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    alert = alert_of(hostile)
    team = channel("<script>alert(1)</script>")
    Channel.objects.update(language="en")
    for url in (acknowledge_link(alert, team), silence_link(alert, team)):
        page = Client().get(url).content.decode()
        assert "<img src=x" not in page and "<script>alert" not in page
