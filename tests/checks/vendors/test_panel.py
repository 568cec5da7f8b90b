"""The part of a provider's page: both lines on one clock, marks, the sentence, and all of it in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory

from apps.accounts.models import User
from apps.checks.models import Incident, VendorIncident
from apps.checks.vendors.panel import VENDOR, Mark, marks_of
from apps.checks.vendors.selectors import VendorLines
from apps.core.panels import draw
from tests.checks.vendors.reading import ago, fail_to_read, incident, make_followed, read, summary
from tests.factories import make_provider


def drawn(provider: Any, user: User, query: str = "") -> str:
    request = RequestFactory().get(f"/targets/{provider.pk}/{query}")
    request.user = user
    return draw(request, VENDOR, provider.target)


@pytest.mark.django_db
def test_both_lines_and_the_incidents_are_drawn_and_said_in_words(viewer: User) -> None:
    provider = make_followed(components=("API",))
    Incident.objects.create(target=provider.target, severity="outage", reason="timeout", opened_at=ago(30))
    told = incident("1", ago(16), name="<script>alert(1)</script> Elevated errors", shortlink="https://stspg.io/1")
    read(provider, summary("major", (told,), {"API": "partial_outage"}), ago(2))
    html = drawn(provider, viewer)
    assert "We saw it 14 min before the vendor said so." in html
    assert html.count("history-drawing") == 3
    assert "What the vendor said over 24 h" in html and "What we measured over 24 h" in html
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)&lt;/script&gt; Elevated errors" in html
    assert 'href="https://stspg.io/1"' in html
    assert "style=" not in html and "onclick" not in html
    # The same as words, for those who cannot see it.
    assert html.count("visually-hidden") > 2 and "not over" in html


@pytest.mark.django_db
def test_an_unreadable_page_says_why_and_that_it_means_nothing(viewer: User) -> None:
    provider = make_followed()
    fail_to_read(provider, ago(2))
    html = drawn(provider, viewer, "?range=7d")
    assert "a web page came where data was expected" in html
    assert "changes nothing of what we measure" in html
    assert "over 7 d" in html


@pytest.mark.django_db
def test_a_provider_without_a_page_has_no_such_part(viewer: User) -> None:
    assert drawn(make_provider(), viewer) == ""


def test_marks_lie_inside_the_clock_and_can_be_seen() -> None:
    end = datetime(2026, 11, 21, tzinfo=UTC)
    start = end - timedelta(days=1)

    def told(began: timedelta, ended: timedelta | None) -> VendorIncident:
        resolved_at = None if ended is None else start + ended
        return VendorIncident(name="x", status="degraded", started_at=start + began, resolved_at=resolved_at)

    lines = VendorLines(
        start,
        end,
        incidents=[
            told(timedelta(hours=23, minutes=59, seconds=59), None),
            told(timedelta(hours=6), timedelta(hours=12)),
            told(timedelta(days=-3), timedelta(seconds=1)),
        ],
    )
    marks: list[Mark] = marks_of(lines)
    assert [(mark.x, mark.width) for mark in marks] == [(0, 0.6), (25, 25), (99.4, 0.6)]
