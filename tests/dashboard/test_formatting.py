"""Numbers and times as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from apps.dashboard import formatting, moments

NOW = datetime(2026, 11, 21, 5, 3, 9, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.fixture(autouse=True)
def _english_in_utc() -> Iterator[None]:
    with translation.override("en"), timezone.override(UTC):
        yield


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (0.4219, "0.42 ms"),
        (4.18, "4.2 ms"),
        (0.998, "1.0 ms"),
        (9.96, "10 ms"),
        (31.9, "32 ms"),
        (183.4, "183 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1_240, "1.24 s"),
        (12_400, "12.4 s"),
        (125_000, "2 min 5 s"),
        (-3, "0 ms"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_duration_has_a_unit_and_no_more_digits_than_it_can_carry(milliseconds: float | None, text: str) -> None:
    assert plain(formatting.duration(milliseconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8, "8 s"),
        (59.6, "1 min"),
        (720, "12 min"),
        (3_661, "1 h 1 min"),
        (7_200, "2 h"),
        (273_600, "3 d 4 h"),
        (259_200, "3 d"),
        (8_000_000, "92 d"),
    ],
)
def test_a_span_has_at_most_two_units(seconds: float, text: str) -> None:
    assert plain(formatting.span(seconds)) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "100 %"),
        (0.99982, "99.982 %"),
        (0.9999999, "99.999 %"),
        (0.9931, "99.31 %"),
        (0.5, "50 %"),
        (0.0, "0 %"),
        (None, "–"),
    ],
)
def test_an_uptime_below_one_never_reads_as_one_hundred_per_cent(ratio: float | None, text: str) -> None:
    assert plain(formatting.percent(ratio)) == text


def test_a_percentage_may_be_coarser() -> None:
    assert plain(formatting.percent(0.69565, 1)) == "69.5 %"
    assert plain(formatting.percent(0.999, 0)) == "99 %"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (512, "512 B"), (18_443, "18.4 kB"), (1_200_000, "1.20 MB"), (None, "–")]
)
def test_a_size_in_bytes(size: float | None, text: str) -> None:
    assert plain(formatting.byte_size(size)) == text


def test_a_unit_never_stands_on_a_line_of_its_own() -> None:
    assert " " not in formatting.duration(183) + formatting.span(273_600) + formatting.percent(0.5)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(milliseconds=300), "just now"),
        (timedelta(seconds=8), "8 s ago"),
        (timedelta(minutes=12, seconds=40), "12 min ago"),
        (timedelta(days=3, hours=4), "3 d 4 h ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_a_relative_time(ago: timedelta, text: str) -> None:
    assert plain(moments.relative(NOW - ago, NOW)) == text


def test_an_absolute_time_is_in_the_viewers_zone_and_names_it() -> None:
    assert moments.absolute(NOW) == "21 Nov 2026, 05:03:09 UTC"
    with timezone.override(ZoneInfo("Asia/Seoul")):
        assert moments.absolute(NOW) == "21 Nov 2026, 14:03:09 KST"


def test_a_period_names_its_day_once_and_two_days_both() -> None:
    assert moments.between(NOW, NOW + timedelta(minutes=30)) == "21 Nov 2026, 05:03–05:33"
    assert moments.between(NOW, NOW + timedelta(days=1)) == "21 Nov 2026, 05:03 – 22 Nov 2026, 05:03"
