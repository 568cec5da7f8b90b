"""Time cut into parts: round beginnings, never too many, and results only for as long as they are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.checks.ai.windows import MOST_PARTS, Window

NOW = datetime(2026, 11, 21, 15, 7, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("length", "width"),
    [
        (HOUR, MINUTE),
        (6 * HOUR, 5 * MINUTE),
        (DAY, 10 * MINUTE),
        (2 * DAY, 30 * MINUTE),
        (7 * DAY, HOUR),
        (30 * DAY, 6 * HOUR),
        (60 * DAY, 12 * HOUR),
        (90 * DAY, DAY),
        (730 * DAY, 7 * DAY),
    ],
)
def test_a_window_is_cut_as_people_count(length: timedelta, width: timedelta) -> None:
    window = Window.of(NOW - length, NOW, NOW)
    assert window.width == width
    assert len(window.times) == window.count <= MOST_PARTS + 1


def test_parts_begin_on_round_moments_and_cover_the_whole_time() -> None:
    window = Window.of(NOW - DAY, NOW, NOW)
    assert window.times[0] == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert window.times[-1] <= NOW < window.times[-1] + window.width


def test_the_last_two_days_are_read_from_results_and_what_is_older_from_hours() -> None:
    window = Window.of(NOW - 30 * DAY, NOW, NOW)
    assert window.cut == datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
    assert window.day_cut == window.start
    recent = Window.of(NOW - DAY, NOW, NOW)
    assert recent.cut == recent.start


def test_whole_days_are_read_from_days_where_the_parts_are_as_wide() -> None:
    window = Window.of(NOW - 90 * DAY, NOW, NOW)
    assert (window.day_cut, window.cut) == (
        datetime(2026, 11, 19, tzinfo=UTC),
        datetime(2026, 11, 19, 15, 0, tzinfo=UTC),
    )
    weeks = Window.of(NOW - 730 * DAY, NOW, NOW)
    assert weeks.day_cut == window.day_cut


def test_a_short_time_long_ago_is_read_from_hours() -> None:
    start = NOW - 60 * DAY
    window = Window.of(start, start + DAY, NOW)
    assert (window.width, window.cut) == (HOUR, window.end)


def test_a_short_time_some_days_ago_is_read_from_results() -> None:
    start = NOW - 10 * DAY
    window = Window.of(start, start + DAY, NOW)
    assert (window.width, window.cut) == (10 * MINUTE, window.start)


def test_a_window_that_ends_before_it_began_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it began"):
        Window.of(NOW, NOW, NOW)
