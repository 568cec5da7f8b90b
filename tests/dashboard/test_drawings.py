"""Shapes, bars and lines: drawn to scale, and the same in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from apps.catalog.status import Status
from apps.core import clock
from apps.dashboard import drawings, statuses
from tests.dashboard.rendering import HOSTILE, NOW, render


@pytest.fixture(autouse=True)
def _english_at_one_moment() -> Iterator[None]:
    with translation.override("en"), timezone.override(UTC), clock.frozen(NOW):
        yield


@dataclass(frozen=True)
class Slice:
    start: datetime
    end: datetime
    status: Status
    seconds: dict[Status, float] = field(default_factory=dict)
    note: str = ""


def slices(*found: Status, minutes: int = 30) -> list[Slice]:
    width = timedelta(minutes=minutes)
    return [Slice(NOW + width * place, NOW + width * (place + 1), status) for place, status in enumerate(found)]


@pytest.mark.parametrize("value", list(Status))
@pytest.mark.parametrize("style", ["", "badge", "shape"])
def test_a_status_is_a_shape_and_a_word_in_every_style(value: Status, style: str) -> None:
    html = render("{% status value style %}", value=value, style=style)
    assert html.count("<svg") == 1
    assert value.label in re.sub(r"<[^>]*>", "", html)
    assert f"tone-{statuses.look_of(value).token}" in html


def test_the_five_shapes_differ() -> None:
    shapes = {render("{% status value %}", value=value).split("<svg")[1].split("</svg>")[0] for value in Status}
    assert len(shapes) == 5


@pytest.mark.parametrize("value", ["", None, "no such status", HOSTILE])
def test_what_is_no_status_looks_unknown(value: Any) -> None:
    assert "Unknown" in render("{% status value %}", value=value)


def test_a_status_bar_names_all_five_and_links_to_each() -> None:
    counts = {"operational": 31, "degraded": 2, "outage": 1, "unknown": 3, "maintenance": 0}
    html = render('{% status_bar counts "Targets" "/services/" "outage" %}', counts=counts)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    for words in ("31 Operational", "2 Degraded", "1 Outage", "3 Unknown", "0 Maintenance"):
        assert words in text
    assert 'href="/services/?status=degraded"' in html
    # The one in force takes the filter off again.
    assert re.search(r'href="/services/" aria-current="true"', html)
    assert 'fill="url(#hatch)"' in html


def test_the_shares_of_a_bar_fill_it_and_a_sliver_stays_visible() -> None:
    shares = statuses.shares_of({"operational": 99_999, "outage": 1})
    assert sum(share.width for share in shares) == pytest.approx(100, abs=0.01)
    outage = next(share for share in shares if share.look.value == "outage")
    assert outage.width > 1
    assert outage.exact == pytest.approx(0.001)
    assert statuses.shares_of({})[0].width == 0


def test_a_history_bar_says_in_words_what_it_draws() -> None:
    segments = slices(Status.OPERATIONAL, Status.OUTAGE, Status.OUTAGE, Status.UNKNOWN)
    html = render('{% history_bar segments "Payments" %}', segments=segments)
    assert html.count("<rect") == 4
    assert 'aria-label="Payments: Outage 1\u00a0h, Operational 30\u00a0min, Unknown 30\u00a0min"' in html
    stretches = re.findall(r"<li>(.*?)</li>", html)
    assert stretches == [
        "Operational: 21 Nov 2026, 05:00–05:30",
        "Outage: 21 Nov 2026, 05:30–06:30",
        "Unknown: 21 Nov 2026, 06:30–07:00",
    ]
    assert 'fill="url(#hatch)"' in html


def test_the_words_of_a_bar_claim_no_time_for_a_status_that_lasted_less() -> None:
    half = timedelta(minutes=30)
    begun = Slice(NOW, NOW + half, Status.OPERATIONAL, {Status.OPERATIONAL: 60, Status.UNKNOWN: 1740})
    full = Slice(NOW + half, NOW + 2 * half, Status.OPERATIONAL, {Status.OPERATIONAL: 1800})
    assert [words.replace("\u00a0", " ") for words in drawings.history([begun, full]).stretches] == [
        "Operational for 31 min of 21 Nov 2026, 05:00–06:00"
    ]
    assert drawings.history([full]).stretches == ["Operational: 21 Nov 2026, 05:30–06:00"]


def test_a_history_bar_is_to_scale() -> None:
    short, long = (
        slices(Status.OPERATIONAL)[0],
        Slice(NOW + timedelta(minutes=30), NOW + timedelta(hours=2), Status.OUTAGE),
    )
    drawn = drawings.history([short, long])
    assert [bar.width for bar in drawn.bars] == [25.0, 75.0]
    assert [bar.x for bar in drawn.bars] == [0.0, 25.0]


def test_a_segment_of_mixed_time_tells_its_parts_and_its_note() -> None:
    mixed = Slice(
        NOW, NOW + timedelta(minutes=30), Status.OUTAGE, {Status.OUTAGE: 600, Status.OPERATIONAL: 1200}, HOSTILE
    )
    tip = drawings.history([mixed]).bars[0].tip.replace("\u00a0", " ")
    assert tip.split("\n") == [
        "Outage",
        "21 Nov 2026, 05:00–05:30",
        "Operational for 20 min",
        "Outage for 10 min",
        HOSTILE,
    ]
    assert "<script" not in render('{% history_bar segments "x" %}', segments=[mixed])


def test_a_history_without_segments_says_so() -> None:
    assert "No history yet." in render('{% history_bar segments "x" %}', segments=[])


def test_a_gap_in_a_sparkline_stays_a_gap() -> None:
    drawn = drawings.sparkline([1.0, 2.0, None, None, 3.0, 4.0])
    assert drawn.path.count("M") == 2
    assert drawn.area.count("Z") == 2


def test_a_lone_value_in_a_sparkline_is_a_dot() -> None:
    assert drawings.sparkline([None, 5.0, None]).path.count("L") == 1


def test_a_sparkline_of_nothing_says_so_and_one_of_zeros_is_drawn() -> None:
    assert "No measurements" in render('{% sparkline values "Response time" %}', values=[None, None])
    assert drawings.sparkline([0.0, 0.0]).path


def test_a_sparkline_says_its_values() -> None:
    html = render('{% sparkline values "Response time" %}', values=[120.0, 1240.0, 183.0])
    assert "Response time: Last 183\u00a0ms, lowest 120\u00a0ms, highest 1.24\u00a0s" in html
