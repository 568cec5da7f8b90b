"""Times of day where clocks are turned, and in zones that are no more. Berlin: 29 March, 25 October 2026."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from apps.alerts.pipeline.enrolment import next_digest
from apps.alerts.times import TimeRange, is_inside, next_change

BERLIN = "Europe/Berlin"
NIGHT = (TimeRange(frozenset(range(7)), time(22), time(2, 30)),)
EARLY = (TimeRange(frozenset(range(7)), time(1), time(7)),)


def utc(day: int, hour: int, minute: int = 0, *, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ranges", "at", "change"),
    [
        # Summer time ends: 2:30 comes at 0:30 and again at 1:30 UTC.
        (NIGHT, utc(24, 21), utc(25, 0, 30)),
        (NIGHT, utc(25, 1, 15), utc(25, 1, 30)),
        (NIGHT, utc(25, 1, 45), utc(25, 21)),
        # The night has an hour more, or one less.
        (EARLY, utc(24, 23, 30), utc(25, 6)),
        (EARLY, utc(29, 0, 30, month=3), utc(29, 5, month=3)),
        # Any other night.
        (NIGHT, utc(10, 21), utc(11, 0, 30)),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(
    ranges: tuple[TimeRange, ...], at: datetime, change: datetime
) -> None:
    assert next_change(ranges, BERLIN, at) == change
    assert is_inside(ranges, BERLIN, at) != is_inside(ranges, BERLIN, change)


def test_a_digest_comes_at_nine_whatever_was_done_to_the_clocks() -> None:
    assert next_digest(BERLIN, utc(24, 7, 30)) == utc(25, 8)
    assert next_digest(BERLIN, utc(28, 9, month=3)) == utc(29, 7, month=3)


def test_a_zone_that_an_update_took_away_is_utc_and_stops_nobody_else() -> None:
    assert is_inside(EARLY, "Mars/Olympus_Mons", utc(1, 6, 59))
    assert next_change(EARLY, "Mars/Olympus_Mons", utc(1, 6, 59)) == utc(1, 7)
    assert next_digest("Mars/Olympus_Mons", utc(1, 6)) == utc(1, 9)
