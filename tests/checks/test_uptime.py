"""Uptime arithmetic: unknown and maintenance are in neither part of the fraction."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.status import Status
from apps.checks.uptime import Transition, periods, report, segments

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=10)


def at(hours: float, status: Status) -> Transition:
    return Transition(START + timedelta(hours=hours), status)


@pytest.mark.parametrize(
    ("initial", "transitions", "expected"),
    [
        (Status.UNKNOWN, [], None),
        (Status.MAINTENANCE, [], None),
        (Status.OPERATIONAL, [], 1.0),
        (Status.OUTAGE, [], 0.0),
        (Status.OPERATIONAL, [at(9, Status.OUTAGE)], 0.9),
        (Status.UNKNOWN, [at(5, Status.OPERATIONAL), at(9, Status.OUTAGE)], 0.8),
        (Status.OPERATIONAL, [at(5, Status.UNKNOWN)], 1.0),
        (Status.OPERATIONAL, [at(4, Status.MAINTENANCE), at(8, Status.OUTAGE), at(9, Status.OPERATIONAL)], 5 / 6),
        (Status.DEGRADED, [], 1.0),
    ],
)
def test_uptime_counts_only_measured_time(
    initial: Status, transitions: list[Transition], expected: float | None
) -> None:
    ratio = report(initial, transitions, START, END).ratio
    assert ratio == (None if expected is None else pytest.approx(expected))


def test_a_transition_before_the_window_sets_the_status_it_begins_with() -> None:
    assert report(Status.OPERATIONAL, [at(-1, Status.OUTAGE)], START, END).ratio == 0.0


def test_a_transition_after_the_window_changes_nothing() -> None:
    assert report(Status.OPERATIONAL, [at(11, Status.OUTAGE)], START, END).ratio == 1.0


def test_a_slice_of_a_bar_shows_the_worst_it_held() -> None:
    bar = segments(Status.OPERATIONAL, [at(4.5, Status.OUTAGE), at(4.6, Status.OPERATIONAL)], START, END, 10)
    assert [slice_.status for slice_ in bar].count(Status.OUTAGE) == 1
    assert bar[4].status is Status.OUTAGE
    assert bar[4].seconds[Status.OUTAGE] == pytest.approx(360)


def test_a_slice_is_unknown_only_when_all_of_it_is() -> None:
    bar = segments(Status.UNKNOWN, [at(4.5, Status.OPERATIONAL)], START, END, 10)
    assert [slice_.status for slice_ in bar[:6]] == [Status.UNKNOWN] * 4 + [Status.OPERATIONAL] * 2


histories = st.lists(st.builds(at, st.floats(-2, 12, allow_nan=False), st.sampled_from(list(Status))), max_size=12).map(
    lambda rows: sorted(rows, key=lambda row: row.at)
)


@given(st.sampled_from(list(Status)), histories)
def test_periods_cover_the_window_without_gap_or_overlap(initial: Status, transitions: list[Transition]) -> None:
    stretches = list(periods(initial, transitions, START, END))
    assert stretches[0].start == START
    assert stretches[-1].end == END
    assert all(one.end == two.start for one, two in itertools.pairwise(stretches))


@given(st.sampled_from(list(Status)), histories, st.integers(1, 90))
def test_a_bar_and_the_report_agree_on_every_second(initial: Status, transitions: list[Transition], count: int) -> None:
    totals: dict[Status, float] = {}
    for slice_ in segments(initial, transitions, START, END, count):
        for status, seconds in slice_.seconds.items():
            totals[status] = totals.get(status, 0.0) + seconds
    expected = report(initial, transitions, START, END).seconds
    for status in Status:
        assert totals.get(status, 0.0) == pytest.approx(expected.get(status, 0.0), abs=0.01)
